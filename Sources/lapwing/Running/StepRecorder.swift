import Evidence

/// Records the kernel's events of one step after another, on the thread that does them.
final class StepRecorder {
  private let pool = TracePool()
  private let instance: TraceInstance

  /// A recorder.
  ///
  /// - Throws: `Failure` with the host's reason, where nothing can be recorded.
  init() throws(Failure) {
    do throws(TraceUnavailable) {
      instance = try pool.lend()
    } catch {
      throw Failure(error)
    }
  }

  private var failure: TraceUnavailable?

  /// Begins with a step.
  func begin() {
    do throws(TraceUnavailable) {
      failure = nil
      try instance.begin(withResidency: true)
    } catch {
      failure = error
    }
  }

  /// Ends with it.
  ///
  /// - Returns: What happened, a line each, or why it is not known.
  func end() -> [String] {
    do throws(TraceUnavailable) {
      if let failure { throw failure }
      let recording = try instance.recording()
      return recording.events.map(\.text) + (recording.lost > 0 ? ["\(recording.lost) events were lost"] : [])
    } catch {
      return ["nothing was recorded: \(error)"]
    }
  }

  /// Removes what it has made.
  func close() {
    pool.giveBack(instance)
    pool.close()
  }
}
