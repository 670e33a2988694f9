extension TraceInstance {
  /// Ends recording.
  ///
  /// - Returns: What was recorded since `begin`, in the order of its times.
  /// - Throws: `TraceUnavailable` where the kernel refuses.
  public func recording() throws(TraceUnavailable) -> TraceRecording { TraceRecording(try end()) }
}
