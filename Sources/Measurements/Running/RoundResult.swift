/// What one round of a measurement came to: one machine, one guest, as many samples as were asked for.
public enum RoundResult: Hashable, Sendable {
  /// The samples, in cycles of a TSC of so many kHz.
  case samples([UInt64], kHz: UInt32)
  /// Something went wrong: what.
  case failed(String)
}
