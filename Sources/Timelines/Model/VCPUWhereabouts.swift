import Evidence

/// Where a vCPU is, by its entries and exits.
struct VCPUWhereabouts {
  /// A time that it spent in the guest, or outside for that reason.
  typealias Stay = (exit: ExitReason?, start: Int64, end: Int64)

  private var since: Int64?
  private var exit: ExitReason?
  private var isInGuest = false

  /// - Returns: the time outside that is over.
  mutating func enter(_ time: Int64) -> Stay? {
    defer { (isInGuest, since, exit) = (true, time, nil) }
    // An entry after an entry: the exit in between was lost, and nobody knows when it was.
    guard let since, !isInGuest else { return nil }
    return (exit, since, time)
  }

  /// - Returns: the time in the guest that is over.
  mutating func leave(_ time: Int64, _ reason: ExitReason) -> Stay? {
    defer { (isInGuest, since, exit) = (false, time, reason) }
    guard let since, isInGuest else { return nil }
    return (nil, since, time)
  }

  /// - Returns: where it was to the end.
  mutating func finish(_ time: Int64) -> Stay? {
    guard let since, time > since else { return nil }
    return (isInGuest ? nil : exit, since, time)
  }
}
