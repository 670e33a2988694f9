public import Evidence
import KVM

/// What a scenario may ask of the evidence that is gathered of it.
extension TestContext {
  /// The kvm events of this machine since its start; nil where none can be recorded. No expectation may need them.
  public var traceEvents: [TraceEvent]? { recorder?.events() }

  /// How much a vCPU's count has grown since it was created; nil where this kernel does not keep it.
  public func count(_ name: String, of vcpu: Int) throws -> UInt64? { try statistics[vcpu].read()[name] }

  /// Gathers evidence of the scenario.
  func record(with recorder: Recorder) {
    self.recorder = recorder
    onStimulus = { [unowned self, recorder] moment in
      if moment == .before { recorder.mark(machine, statistics, isStimulus: true) }
    }
  }
}
