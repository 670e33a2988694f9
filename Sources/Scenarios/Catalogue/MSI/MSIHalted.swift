import APIC
import KVM

extension Scenario {
  /// From outside, to a vCPU that KVM has put to sleep.
  static let msiHalted = Scenario(
    "msi.halted", "An MSI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_set_msi", "kvm_vcpu_wake_up", "KVM_SIGNAL_MSI"]
  ) { stage in
    try stage[vcpu: 1].halt()
    try stage.stimulus {
      let answer = try stage.signal(MSIMessage(vector: 0x70, destination: stage[vcpu: 1].destination))
      try stage.check("KVM_SIGNAL_MSI answers", answer, equals: .delivered)
    }
    try stage.expect(1, of: 0x70, on: 1)
  }
}
