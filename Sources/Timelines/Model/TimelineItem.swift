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
