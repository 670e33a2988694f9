import BuiltInGuests
import KVM
import MachineState
import Testing
import VMM

/// Registers that KVM_GET_MSR_INDEX_LIST does not have: each is written, and read of the restored machine itself.
@Suite("Model-specific registers over a restore", Host.canRun) struct ModelRegisterTests {
  private func machine() throws -> Machine {
    var configuration = MachineConfiguration()
    configuration.memory = 16 << 20
    let image = try #require(BuiltInGuest.named("agent")).image
    return try Machine(configuration, image: image, on: try #require(Host.system), console: Console())
  }

  /// Writes registers one by one, restores the machine, and reads those that KVM took.
  private func expectRestored(_ values: [UInt32: UInt64], on machine: Machine) throws {
    let vcpu = machine.vcpus[0]
    var taken: [UInt32: UInt64] = [:]
    for (index, value) in values {
      guard try vcpu.setMSRs([MSREntry(index: index, value: value)]).refused == nil else {
        // KVM refuses those alone that this vCPU does not have: they cannot be read, or are 0 and stay so, as IA32_MCG_CTL.
        let there = try vcpu.msrs([index])
        #expect(there.entries.first?.value ?? 0 == 0, "MSR 0x\(String(index, radix: 16)) is there and was not written")
        continue
      }
      taken[index] = try vcpu.msrs([index]).entries.first?.value
    }
    try #require(taken.values.contains { $0 != 0 }, "KVM takes none of them")
    let state = try StateDocument(text: StateDocument(try machine.capture()).text).state
    let restored = try Machine(
      restoring: state, memory: machine.memory, on: try #require(Host.system), console: Console())
    for (index, value) in taken {
      let actual = try restored.vcpus[0].msrs([index]).entries.first?.value
      #expect(actual == value, "MSR 0x\(String(index, radix: 16))")
    }
  }

  @Test func `memory types are restored: fixed, variable and default`() throws {
    var values: [UInt32: UInt64] = [0x2ff: 0xc06, 0x277: 0x0007_0406_0007_0406]
    for index in [0x250, 0x258, 0x259] + Array(0x268...0x26f) as [UInt32] { values[index] = 0x0606_0505_0404_0101 }
    for pair in 0..<8 as Range<UInt32> {
      values[0x200 + 2 * pair] = UInt64(pair) << 24 | 6
      values[0x201 + 2 * pair] = 0xf_ff00_0800
    }
    try expectRestored(values, on: try machine())
  }

  @Test func `machine-check banks are restored`() throws {
    var values: [UInt32: UInt64] = [0x17a: 4, 0x17b: .max]
    for bank in 0..<32 as Range<UInt32> {
      values[0x400 + 4 * bank] = .max
      values[0x401 + 4 * bank] = 1 << 63 | UInt64(bank)
      values[0x402 + 4 * bank] = 0x1000 * UInt64(bank + 1)
      values[0x403 + 4 * bank] = UInt64(bank + 1)
    }
    try expectRestored(values, on: try machine())
  }

  @Test func `banks that KVM_X86_SETUP_MCE gave are given again, with what they hold`() throws {
    let machine = try machine()
    let vcpu = machine.vcpus[0]
    let before = try vcpu.msrs([0x179]).entries.first?.value
    // Every KVM on x86 has at least as many (KVM_X86_GET_MCE_CAP_SUPPORTED).
    try vcpu.setUpMachineChecks(banks: 10)
    #expect(try vcpu.msrs([0x179]).entries.first?.value != before)
    try expectRestored([0x17a: 4, 0x402: 0x1000], on: machine)
    let state = try machine.capture()
    let restored = try Machine(
      restoring: state, memory: machine.memory, on: try #require(Host.system), console: Console())
    #expect(try restored.vcpus[0].msrs([0x179]).entries.first?.value == 0x100_010a)
  }

  @Test func `banks that no KVM has are the state's fault`() throws {
    var state = try machine().capture()
    let place = try #require(state.vcpus[0].msrs.firstIndex { $0.index == 0x179 })
    state.vcpus[0].msrs[place].value = .max
    let memory = try GuestMemory(size: state.configuration.memory)
    let system = try #require(Host.system)
    do throws(RestoreError) {
      _ = try Machine(restoring: state, memory: memory, on: system, console: Console())
      Issue.record("it was restored")
    } catch {
      guard case .refused(let path, _) = error else { throw error }
      #expect(path == "vcpus[0].msrs.0x179")
    }
  }

  @Test(.enabled(if: (try? Host.system?.check(.hypervSynIC)) ?? 0 > 0, "this KVM has no KVM_CAP_HYPERV_SYNIC"))
  func `Hyper-V's SINTs, pages and timers are restored`() throws {
    let machine = try machine()
    try machine.vcpus[0].enable(.hypervSynIC)
    var values: [UInt32: UInt64] = [0x4000_0080: 1, 0x4000_0082: 0x50_0001, 0x4000_0083: 0x60_0001]
    for sint in 0..<16 as Range<UInt32> { values[0x4000_0090 + sint] = UInt64(0x50 + sint) }
    values[0x4000_00b1] = 1 << 60
    try expectRestored(values, on: machine)
  }
}
