import APIC
import KVM

extension Scenario {
  /// From outside, to a vCPU that KVM has put to sleep.
  static let msiHalted = Scenario(
    "msi.halted", "An MSI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_set_msi", "kvm_vcpu_wake_up", "KVM_SIGNAL_MSI"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.stimulus {
      let answer = try test.signal(MSIMessage(vector: 0x70, destination: test[vcpu: 1].destination))
      try test.check("KVM_SIGNAL_MSI answers", answer, equals: .delivered)
    }
    try test.expect(1, of: 0x70, on: 1)
  }
}
