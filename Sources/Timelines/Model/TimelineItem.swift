import APIC
import Evidence

/// A thing on a timeline. Times are nanoseconds since recording began.
enum TimelineItem: Hashable, Sendable {
  case stay(TimelineStay)
  case occupancy(TimelineOccupancy)
  case mark(TimelineMark)
  case journey(TimelineJourney)
}

/// A time that a vCPU spent in the guest, outside of it, or halted.
struct TimelineStay: Hashable, Sendable {
  /// Where it was.
  enum Place: Hashable, Sendable {
    /// From an entry to the next exit.
    case guest
    /// From an exit, which KVM calls so, to the next entry.
    case outside(exit: String)
    /// From a HLT until it went on, by KVM's own account (kvm_vcpu_wakeup): asleep, or polled for.
    case halted(slept: Bool)
  }

  var vcpu: Int
  var place: Place
  var start: Int64
  var end: Int64
}

/// How many vectors wait and are served on a vCPU, from a moment on, as far as events tell.
struct TimelineOccupancy: Hashable, Sendable {
  var vcpu: Int
  var time: Int64
  /// How many bits of the IRR are set.
  var requested: Int
  /// How many bits of the ISR are set.
  var inService: Int
}

/// Something at a moment that belongs to no interrupt.
struct TimelineMark: Hashable, Sendable {
  var time: Int64
  var text: String
}

extension TimelineMark {
  /// An inhibit of APICv that was set or lifted.
  ///
  /// - Parameters:
  ///   - time: when.
  ///   - reason: its number.
  ///   - isSet: whether it was set.
  ///   - bits: all that hold afterwards.
  ///   - names: the kernel's names; what has none is told by its number.
  init(_ time: Int64, inhibit reason: Int, _ isSet: Bool, inForce bits: UInt64, _ names: InhibitNames) {
    func name(_ number: Int) -> String { names[number] ?? "inhibit \(number)" }
    let inForce = (0..<UInt64.bitWidth).filter { bits >> UInt64($0) & 1 != 0 }.map(name).joined(separator: ", ")
    self.init(
      time: time,
      text: "APICv: \(name(reason)) \(isSet ? "set" : "lifted"); "
        + (bits == 0 ? "none is in force" : "in force: \(inForce)"))
  }
}

/// What an exit has to do with interrupts, by its name.
enum ExitClass: String {
  case interrupt
  case window
  case apic
  case halted
  case outside

  /// That of an exit as the kernel names it, of VT-x or SVM.
  init(_ name: String) {
    let name = name.uppercased()
    func has(_ words: String...) -> Bool { words.contains { name.contains($0) } }
    if has("EXTERNAL_INTERRUPT") || name == "INTR" || name == "INTERRUPT" {
      self = .interrupt
    } else if has("INTERRUPT_WINDOW", "PENDING_INTERRUPT", "VINTR") {
      self = .window
    } else if has("EOI", "APIC", "TPR", "MSR_WRITE", "WRITE_MSR") || name == "MSR" {
      self = .apic
    } else {
      self = has("HLT", "HALT") ? .halted : .outside
    }
  }
}

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
