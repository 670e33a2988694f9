import KVM
import Testing

@testable import VMM

/// Hosts whose KVM lacks something, made up: no machine is built.
@Suite struct MissingCapabilityTests {
  private func refusal(
    without missing: Capability, _ change: (inout MachineConfiguration) -> Void = { _ in }
  ) -> String? {
    var configuration = MachineConfiguration()
    change(&configuration)
    do throws(MachineError) {
      try configuration.validate { (capability: Capability) throws(KVMError) in capability == missing ? 0 : 1024 }
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `a host that lacks what every machine needs is refused, and told what for`() {
    #expect(refusal(without: .irqChip) == "this host's KVM has no KVM_CAP_IRQCHIP, which an in-kernel local APIC needs")
    #expect(
      refusal(without: .immediateExit) == "this host's KVM has no KVM_CAP_IMMEDIATE_EXIT, which stopping a vCPU needs")
  }

  @Test func `what only some machines need is asked for by those alone`() {
    #expect(refusal(without: .splitIRQChip) == nil)
    #expect(
      refusal(without: .splitIRQChip) { $0.irqChip = .split }
        == "this host's KVM has no KVM_CAP_SPLIT_IRQCHIP, which a split irqchip needs")
    #expect(refusal(without: .pit2) { $0.irqChip = .split } == nil)
    #expect(refusal(without: .pit2) == "this host's KVM has no KVM_CAP_PIT2, which the in-kernel PIT needs")
    #expect(refusal(without: .x2APICAPI) { $0.apic = .xAPIC } == nil)
    #expect(
      refusal(without: .x2APICAPI) == "this host's KVM has no KVM_CAP_X2APIC_API, which x2APIC with 32-bit ids needs")
  }
}
