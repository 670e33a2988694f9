/// What a trace instance has recorded since it began, as far as it is kept.
struct TraceLog {
  /// Where it is recorded.
  let instance: TraceInstance
  /// What was taken from there so far.
  private(set) var text = TraceText()

  /// How many events are kept, more than belong to what a guest's log has room for: a guest may storm for as long as it
  /// runs.
  private static let limit = 500_000

  /// Begins to record the threads that this thread starts from now on.
  ///
  /// - Parameters:
  ///   - instance: where it is recorded.
  ///   - withResidency: record entries into the guest and exits too.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  init(beginning instance: TraceInstance, withResidency: Bool) throws(TraceUnavailable) {
    self.instance = instance
    try instance.begin(withResidency: withResidency)
  }

  /// Takes what was recorded since the last call: now and then, before the kernel's buffers are full.
  mutating func drain() { take { instance throws(TraceUnavailable) in try instance.read() } }

  /// Ends recording and takes the rest.
  mutating func end() { take { instance throws(TraceUnavailable) in try instance.end() } }

  /// A trace that can no longer be read counts as lost, and so does what is too much.
  private mutating func take(_ read: (TraceInstance) throws(TraceUnavailable) -> TraceText) {
    do throws(TraceUnavailable) { text.append(try read(instance), keeping: Self.limit) } catch { text.lost &+= 1 }
  }
}
