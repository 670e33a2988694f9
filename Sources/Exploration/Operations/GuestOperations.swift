import APIC
import KVM

extension OperationKind {
  /// What vCPUs do inside of the guest.
  static let guests: [OperationKind] = [
    OperationKind(
      "guest.take", "a vCPU runs with interrupts on until it has taken one, or has none to take", [.vcpu], weight: 40,
      needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = Int(truncatingIfNeeded: arguments[0]) % subject.vcpuCount
      guard let vector = try subject.takeInterrupt(vcpu) else { return .done }
      return .value(UInt64(vector.rawValue))
    }
  ]
}
