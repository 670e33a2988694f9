import Exploration
import KVM
import ReferenceModel

/// What is explored: this host's KVM, or the model's image of a kernel with a fault.
struct ExplorationBench {
  let bench: HistoryBench
  /// Whether vCPUs execute instructions.
  let hasGuest: Bool
  /// What it is, for a person.
  let subject: String

  init(fault name: String?, without: [String], hasGuest: Bool) throws(Failure) {
    let clock = HistoryBench.clock()
    var deviations = name == nil ? Deviations.of(HostSurvey.take()) : .kvm
    for deviation in Deviation.allCases where without.contains(deviation.name) {
      deviations = deviations.without(deviation)
    }
    if let name, let fault = Fault.named(name) {
      bench = HistoryBench(deviations: deviations, clock: clock) { machine throws(KVMError) in
        FaultySubject(
          ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm), fault: fault, clock: clock)
      }
      self.hasGuest = hasGuest
      subject = "the model with the fault \(fault.name): \(fault.summary)"
      return
    }
    let system = try openKVM(forManyMachines: true)
    do throws(KVMError) {
      let cpuid = try KVMSubject.cpuid(of: system)
      bench = HistoryBench(deviations: deviations, clock: clock) { machine throws(KVMError) in
        try KVMSubject(system, vcpus: machine.vcpus, cpuid: cpuid, hasGuest: hasGuest)
      }
    } catch {
      throw Failure(error)
    }
    self.hasGuest = hasGuest
    subject = "KVM\(hasGuest ? ", vCPUs run" : ", host side alone")"
  }
}
