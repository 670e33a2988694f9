import APIC
import KVM
import ReferenceModel

extension OperationKind {
  /// Events of vCPUs: NMIs, INIT and SIPI (KVM API, KVM_NMI, KVM_GET_MP_STATE and KVM_SET_MP_STATE).
  static let events: [OperationKind] = [
    OperationKind("event.nmi", "a non-maskable interrupt from user space", [.vcpu], weight: 3) {
      (arguments, subject) throws(KVMError) in
      try subject.signalNMI(subject.vcpu(of: arguments))
      return .done
    },
    OperationKind("event.state", "what a vCPU does is asked, which makes it take INIT and SIPI", [.vcpu], weight: 12) {
      (arguments, subject) throws(KVMError) in
      .value(try subject.activity(subject.vcpu(of: arguments)))
    },
    OperationKind(
      "event.set", "what a vCPU does is set",
      [.vcpu, OperationArgument("state", [UInt64(MPState.runnable.rawValue), UInt64(MPState.initReceived.rawValue)])],
      weight: 2
    ) { (arguments, subject) throws(KVMError) in
      let state: MPState = arguments[1] == UInt64(MPState.runnable.rawValue) ? .runnable : .initReceived
      let vcpu = subject.vcpu(of: arguments)
      return try subject.setActivity(vcpu, state) ? .done : .refused
    },
    OperationKind("event.resave", "every state of the machine is read and written back", [], weight: 2) {
      (_, subject) throws(KVMError) in
      for vcpu in 0..<subject.vcpuCount {
        var state = try subject.localAPIC(vcpu)
        state[.currentCount] = state[.initialCount]
        guard try subject.setLocalAPIC(vcpu, state) else { return .refused }
      }
      try subject.setPIC(.master, try subject.pic(.master))
      try subject.setPIC(.slave, try subject.pic(.slave))
      try subject.setIOAPIC(try subject.ioapic())
      return .done
    },
  ]
}
