import KVM

/// Numbers the events that more than one irqfd or ioeventfd of a machine has, so that they have the same one again after a
/// restore.
struct SharedEvents {
  private let numbers: [ObjectIdentifier: UInt32]
  private var seen: Set<ObjectIdentifier> = []

  /// - Parameter events: of all irqfds and ioeventfds; they are numbered in the order in which they come.
  init(_ events: [EventDescriptor]) {
    let counts = Dictionary(grouping: events, by: ObjectIdentifier.init)
    var numbers: [ObjectIdentifier: UInt32] = [:]
    for event in events.map(ObjectIdentifier.init) where numbers[event] == nil && counts[event, default: []].count > 1 {
      numbers[event] = UInt32(numbers.count)
    }
    self.numbers = numbers
  }

  /// The event's number; nil for one that nothing else has. It counts as seen from now on.
  mutating func number(of event: EventDescriptor) -> UInt32? {
    seen.insert(ObjectIdentifier(event))
    return numbers[ObjectIdentifier(event)]
  }

  /// Whether it was not seen yet.
  func isFirst(_ event: EventDescriptor) -> Bool { !seen.contains(ObjectIdentifier(event)) }
}
