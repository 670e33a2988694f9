extension MachineState {
  /// A field that is another one when the state of a machine that was just restored is taken again.
  public struct MovingField: Hashable, Sendable {
    /// Its place in the document; `*` stands for anything.
    public var path: String
    /// Why it moves.
    public var reason: String
  }

  /// What time moves: every other field of a state that was restored is the same when it is taken again, byte for byte.
  public static let movingFields: [MovingField] = [
    MovingField(path: "captured", reason: "the moment of the capture"),
    MovingField(path: "time.*", reason: "the clocks of that moment"),
    MovingField(path: "vcpus[*].msrs.0x10", reason: "the TSC runs"),
    MovingField(path: "vcpus[*].msrs.0x40000010", reason: "Hyper-V's VP runtime, HV_X64_MSR_VP_RUNTIME, runs"),
    MovingField(
      path: "vcpus[*].msrs.0x40000020", reason: "Hyper-V's reference counter, HV_X64_MSR_TIME_REF_COUNT, runs"),
    MovingField(path: "vcpus[*].tscOffset", reason: "guest time stood still, the host's TSC did not"),
    MovingField(path: "vcpus[*].localAPIC.currentCount", reason: "the timer runs"),
    MovingField(
      path: "vcpus[*].localAPIC.processorPriority",
      reason: "it follows from the task priority and the ISR, which KVM brings up to date at a restore"),
    MovingField(
      path: "pit.channel*.countLoadTime", reason: "the moment, on the host's clock, when the count was loaded"),
    MovingField(path: "pit.channel1.count", reason: "what is left of a count that runs once"),
    MovingField(path: "pit.channel2.count", reason: "what is left of a count that runs once"),
    MovingField(
      path: "vcpus[*].localAPIC.initialCount", reason: "0 for a one-shot timer that has fired, in xAPIC mode"),
  ]
}
