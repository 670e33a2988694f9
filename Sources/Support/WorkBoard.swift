import Synchronization
public import SystemPackage

/// What the threads that share work out have in common: the items that wait, that are worked on, and that are done.
public final class WorkBoard<Item: Sendable, Outcome: Sendable>: Sendable {
  /// An item that is worked on.
  public struct Ticket: Sendable {
    /// The item.
    public let item: Item
    /// What ends it from outside.
    public let control = WorkControl()
    /// When it was taken.
    public let start = ContinuousClock.now
    fileprivate let number: Int
  }

  /// An item that is no longer worked on.
  public struct Ended: Sendable {
    /// What was worked on.
    public let ticket: Ticket
    /// What it came to; nil where it was given up because its thread did not come back.
    public let outcome: Outcome?
  }

  private struct State {
    var waiting: Range<Int>
    var running: [Int: Ticket] = [:]
    var ended: [Ended] = []
    var nextNumber = 0
  }

  private let state: Mutex<State>
  private let changed: Wakeup

  private let item: @Sendable (Int) -> Item

  /// A board with items that wait.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - item: Makes one by its number, from 0, when it is taken: there may be more of them than there is room for.
  /// - Throws: The error of eventfd(2) where there is no descriptor left.
  public init(count: Int, item: @escaping @Sendable (Int) -> Item) throws(Errno) {
    changed = try Wakeup()
    self.item = item
    state = Mutex(State(waiting: 0..<max(count, 0)))
  }

  /// Takes the next item; nil where none is left.
  public func take() -> Ticket? {
    let ticket: Ticket? = state.withLock { state in
      guard let number = state.waiting.popFirst() else { return nil }
      let ticket = Ticket(item: item(number), number: state.nextNumber)
      state.nextNumber += 1
      state.running[ticket.number] = ticket
      return ticket
    }
    if ticket != nil { changed.signal() }
    return ticket
  }

  /// Puts an outcome down.
  ///
  /// - Returns: Whether the item had not been given up meanwhile.
  @discardableResult public func finish(_ ticket: Ticket, _ outcome: Outcome) -> Bool { end(ticket, outcome) }

  /// Gives an item up whose thread does not come back.
  ///
  /// - Returns: Whether it was not done meanwhile.
  public func abandon(_ ticket: Ticket) -> Bool { end(ticket, nil) }

  private func end(_ ticket: Ticket, _ outcome: Outcome?) -> Bool {
    let isRunning = state.withLock { state in
      guard state.running.removeValue(forKey: ticket.number) != nil else { return false }
      state.ended.append(Ended(ticket: ticket, outcome: outcome))
      return true
    }
    if isRunning { changed.signal() }
    return isRunning
  }

  /// Lets no more items be taken.
  public func close() {
    state.withLock { $0.waiting = 0..<0 }
    // With that, nothing may be left to wait for.
    changed.signal()
  }

  /// What is worked on, the oldest first.
  public var running: [Ticket] { state.withLock { $0.running.values.sorted { $0.number < $1.number } } }

  /// Whether nothing waits and nothing is worked on.
  public var isIdle: Bool { state.withLock { $0.waiting.isEmpty && $0.running.isEmpty } }

  /// What has ended since the last call.
  public func collect() -> [Ended] {
    state.withLock { state in
      defer { state.ended = [] }
      return state.ended
    }
  }

  /// Waits until an item is taken or ends, as `Wakeup.wait` does. One thread alone may wait.
  public func waitForChange(until deadline: ContinuousClock.Instant?, or other: Int32?) {
    changed.wait(until: deadline, or: other)
  }
}

/// Ends a piece of work from another thread than the one that does it.
public final class WorkControl: Sendable {
  /// Why work was ended.
  public enum Reason: Hashable, Sendable {
    /// It took longer than it may.
    case overdue
    /// All work is being ended.
    case interrupted
  }

  private struct State {
    var stop: (@Sendable () -> Void)?
    var ending: (reason: Reason, time: ContinuousClock.Instant)?
  }

  private let state = Mutex(State())

  /// The control of work that has not begun.
  public init() {}

  /// Why the work was ended; nil where it was not.
  public var reason: Reason? { ending?.reason }

  /// Why and when it was ended.
  public var ending: (reason: Reason, time: ContinuousClock.Instant)? { state.withLock { $0.ending } }

  /// Ends the work. The first reason stands.
  public func end(_ reason: Reason) {
    state.withLock { state in
      if state.ending == nil { state.ending = (reason, .now) }
      state.stop?()
    }
  }

  /// Says what ends the work from now on: it is called while the work goes on, and at once where it has been ended.
  ///
  /// - Parameter stop: What to do, on any thread; nil once there is nothing left to stop.
  public func whenEnded(_ stop: (@Sendable () -> Void)?) {
    state.withLock { state in
      state.stop = stop
      if state.ending != nil { stop?() }
    }
  }
}
