import APIC
import Evidence

/// How many vectors wait and are served on each vCPU over time, by the journeys of interrupts, which come in no order.
///
/// A moment is told once more have come after it than are kept; one that comes too late for its place counts from where
/// that was.
struct OccupancyCounter {
  private struct Change {
    var time: Int64
    var vcpu: Int
    var requested: Int
    var inService: Int
  }

  private let limit: Int
  /// A heap: none is later than the two below it.
  private var changes: [Change] = []
  private var counts: [Int: (requested: Int, inService: Int)] = [:]
  private var told = Int64.min

  /// - Parameter limit: how many moments are kept.
  init(keeping limit: Int = 65_536) { self.limit = limit }

  /// Takes an interrupt.
  ///
  /// - Parameters:
  ///   - journey: its journey: where it leaves the IRR is not seen of every one, nor where it leaves the ISR.
  ///   - tell: called with what has come to be known.
  mutating func take(_ journey: TimelineJourney, _ tell: (TimelineOccupancy) -> Void) {
    let facts = journey.journey
    let moved = facts.injected ?? facts.taken
    if let accepted = facts.accepted, let moved, accepted <= moved {
      push(Change(time: accepted, vcpu: facts.vcpu, requested: 1, inService: 0))
      push(Change(time: moved, vcpu: facts.vcpu, requested: -1, inService: 0))
    }
    if let moved, let ended = facts.ended, moved <= ended {
      push(Change(time: moved, vcpu: facts.vcpu, requested: 0, inService: 1))
      push(Change(time: ended, vcpu: facts.vcpu, requested: 0, inService: -1))
    }
    while changes.count > limit { tellFirst(tell) }
  }

  /// Tells the rest.
  mutating func finish(_ tell: (TimelineOccupancy) -> Void) {
    while !changes.isEmpty { tellFirst(tell) }
  }

  /// Tells the earliest moment, with all that changes on its vCPU then.
  private mutating func tellFirst(_ tell: (TimelineOccupancy) -> Void) {
    guard let first = pop() else { return }
    told = max(told, first.time)
    var count = counts[first.vcpu] ?? (0, 0)
    count.requested += first.requested
    count.inService += first.inService
    while let next = changes.first, next.time <= first.time, next.vcpu == first.vcpu, let same = pop() {
      count.requested += same.requested
      count.inService += same.inService
    }
    counts[first.vcpu] = count
    tell(
      TimelineOccupancy(
        vcpu: first.vcpu, time: told, requested: max(0, count.requested), inService: max(0, count.inService)))
  }

  private func isBefore(_ first: Int, _ second: Int) -> Bool {
    (changes[first].time, changes[first].vcpu) < (changes[second].time, changes[second].vcpu)
  }

  private mutating func push(_ change: Change) {
    changes.append(change)
    var index = changes.count - 1
    while index > 0, isBefore(index, (index - 1) / 2) {
      changes.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func pop() -> Change? {
    guard let last = changes.indices.last else { return nil }
    changes.swapAt(0, last)
    let first = changes.removeLast()
    var index = 0
    while true {
      let children = [2 * index + 1, 2 * index + 2].filter { $0 < changes.count }
      guard let least = children.min(by: isBefore), isBefore(least, index) else { return first }
      changes.swapAt(index, least)
      index = least
    }
  }
}
