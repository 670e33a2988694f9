import APIC
import Evidence

/// Where a vCPU is, and what waits and is served there, as far as events tell.
struct VCPUProgress {
  /// A time that it spent in the guest, or outside for that reason.
  typealias Stay = (exit: ExitReason?, start: Int64, end: Int64)

  private var since: Int64?
  private var exit: ExitReason?
  private var isInGuest = false
  private var stay: Stay?
  private var requested = VectorSet()
  private var inService = VectorSet()
  private var changed: Int64?

  mutating func enter(_ time: Int64) {
    // An entry after an entry: the exit in between was lost, and nobody knows when it was.
    if let since, !isInGuest { stay = (exit, since, time) }
    (isInGuest, since, exit) = (true, time, nil)
  }

  mutating func leave(_ time: Int64, _ reason: ExitReason) {
    if let since, isInGuest { stay = (nil, since, time) }
    (isInGuest, since, exit) = (false, time, reason)
  }

  mutating func finish(_ time: Int64) {
    if let since, time > since { stay = (isInGuest ? nil : exit, since, time) }
    since = nil
  }

  mutating func accept(_ vector: Vector, _ time: Int64) {
    requested.insert(vector)
    changed = time
  }

  /// It is in the posted-interrupt descriptor, and nothing will tell when it is taken from there.
  mutating func post(_ vector: Vector, _ time: Int64) {
    requested.remove(vector)
    changed = time
  }

  mutating func inject(_ vector: Vector, _ time: Int64) {
    requested.remove(vector)
    inService.insert(vector)
    changed = time
  }

  mutating func end(_ vector: Vector, _ time: Int64) {
    inService.remove(vector)
    changed = time
  }

  /// What has ended since the last call.
  mutating func takeStay() -> Stay? {
    defer { stay = nil }
    return stay
  }

  /// How many vectors wait and are served, where that has changed since the last call.
  mutating func takeOccupancy() -> (time: Int64, requested: Int, inService: Int)? {
    guard let time = changed else { return nil }
    changed = nil
    return (time, requested.count, inService.count)
  }
}
