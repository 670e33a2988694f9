import KVM

/// Numbers the events that more than one irqfd or ioeventfd of a machine has, so that they have the same one again after a
/// restore.
struct SharedEvents {
  private let numbers: [ObjectIdentifier: UInt32]

  /// - Parameter events: of all irqfds and ioeventfds; they are numbered in the order in which they come.
  init(_ events: [EventDescriptor]) {
    let counts = Dictionary(grouping: events, by: ObjectIdentifier.init)
    var numbers: [ObjectIdentifier: UInt32] = [:]
    for event in events.map(ObjectIdentifier.init) where numbers[event] == nil && counts[event, default: []].count > 1 {
      numbers[event] = UInt32(numbers.count)
    }
    self.numbers = numbers
  }

  /// The event's number; nil for one that nothing else has.
  func number(of event: EventDescriptor) -> UInt32? { numbers[ObjectIdentifier(event)] }
}
