import APIC
import Evidence

/// An interrupt on a timeline: its journey, with a number and words.
struct TimelineJourney: Hashable, Sendable {
  /// Its number on the timeline, from 1.
  var number: Int
  var journey: InterruptJourney
  /// What KVM calls the exit in it.
  var exit: String?

  /// The moments that were seen of it, in the order in which they come, each with its name.
  var moments: [(name: String, time: Int64)] {
    let all: [(String, Int64?)] = [
      ("accepted", journey.accepted), ("posted", journey.posted), ("woken", journey.wokenUp),
      ("injected", journey.injected), ("taken", journey.taken), ("EOI", journey.ended),
    ]
    return all.compactMap { name, time in time.map { (name, $0) } }
  }

  /// When it was first seen.
  var start: Int64? { moments.map(\.time).min() }
  /// When it was last seen.
  var end: Int64? { moments.map(\.time).max() }
  /// When it got into the guest, as closely as was seen.
  var delivered: Int64? { journey.taken ?? journey.injected }

  /// From when to when it waited in its local APIC; nil where that was not seen.
  var wait: Range<Int64>? { Self.span(journey.accepted ?? journey.posted, delivered) }
  /// From when to when it was served; nil where that was not seen.
  var service: Range<Int64>? { Self.span(delivered, journey.ended) }

  private static func span(_ start: Int64?, _ end: Int64?) -> Range<Int64>? {
    guard let start, let end, start <= end else { return nil }
    return start..<end
  }

  /// Its vector, as `0x50`.
  var name: String {
    let digits = String(journey.vector.rawValue, radix: 16)
    return "0x" + (digits.count < 2 ? "0" : "") + digits
  }

  /// What it came from, in words.
  var origin: String {
    switch journey.source {
    case .ipi(let sender): sender.map { $0 == journey.vcpu ? "itself" : "vCPU \($0)" } ?? "an IPI"
    case .message: "a message"
    case .line(let gsi): "line \(gsi)"
    case .heldLine(let pin): "pin \(pin), still high"
    case .localAPIC(let entry): entry.map { $0 == .timer ? "local timer" : "local APIC, \($0)" } ?? "local APIC"
    case nil: "not seen"
    }
  }

  /// How it got there, in words.
  var way: String {
    let words =
      switch (journey.path, journey.stayedInGuest) {
      case (nil, _): "not seen"
      case (.posted?, _): "posted"
      case (.virtualDelivery?, false?): "virtual-interrupt delivery at entry"
      case (.virtualDelivery?, _): "virtual-interrupt delivery"
      case (.software?, _): "injected"
      }
    return journey.isPathConcluded ? words + " (concluded)" : words
  }
}
