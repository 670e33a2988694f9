/// What is told all that a `JourneyRecorder` records, as it comes: to write it down elsewhere.
public protocol RecordingListener: AnyObject {
  /// The next event, in the order of time.
  ///
  /// - Parameters:
  ///   - event: the event.
  ///   - time: when it was, in nanoseconds since recording began.
  func take(_ event: TraceEvent, at time: Int64)

  /// Recording has ended, and no more comes.
  ///
  /// - Parameter result: what was recorded, with the interrupts' journeys.
  func finish(_ result: JourneyRecorder.Result)
}
