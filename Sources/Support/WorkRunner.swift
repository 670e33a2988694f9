public import SystemPackage

/// Works through items on several threads, and ends those that take too long.
public struct WorkRunner<Item: Sendable, Outcome: Sendable>: Sendable {
  /// The board that the threads share.
  public typealias Board = WorkBoard<Item, Outcome>

  /// How many items are worked on at the same time.
  public var jobs = 1
  /// How long an item may take; nil for as long as it likes.
  public var limit: Duration?
  /// How long an item that was ended has to come to its end before its thread is given up.
  public var grace = Duration.seconds(5)
  private let work: @Sendable (Item, WorkControl) -> Outcome

  /// A runner.
  ///
  /// - Parameter work: Works on one item, on a thread of the runner's, and gives what it came to. What can stop it early is
  ///   to be told to the control.
  public init(_ work: @escaping @Sendable (Item, WorkControl) -> Outcome) { self.work = work }

  /// Works through all items. They are begun in their order; they may end in another.
  ///
  /// - Parameters:
  ///   - count: How many items there are.
  ///   - item: Makes one by its number, from 0, on the thread that works on it.
  ///   - isInterrupted: Asked whenever something has changed; once true, what is worked on is ended and no more is begun.
  ///   - interruption: A descriptor that can be read once `isInterrupted` is true for a reason from outside.
  ///   - watch: Called on this thread with what has ended since the last call, and what is worked on.
  /// - Throws: The error of pthread_create(3) or eventfd(2) where the host has no thread or descriptor left.
  public func run(
    count: Int, item: @escaping @Sendable (Int) -> Item, isInterrupted: () -> Bool = { false },
    interruption: Int32? = nil,
    watch: (_ ended: [Board.Ended], _ running: [Board.Ticket]) -> Void
  ) throws(Errno) {
    let board = try Board(count: count, item: item)
    try startWorkers(min(jobs, count), board)
    var isEnding = false
    while true {
      let isIdle = board.isIdle
      watch(board.collect(), board.running)
      if isIdle { return }
      if !isEnding, isInterrupted() {
        isEnding = true
        board.close()
        for ticket in board.running { ticket.control.end(.interrupted) }
      }
      // A signal that is pending stays so: it is waited for once.
      board.waitForChange(until: endOverdue(board), or: isEnding ? nil : interruption)
    }
  }

  /// Works through the items of an array, likewise.
  ///
  /// - Throws: The error of pthread_create(3) or eventfd(2) where the host has no thread or descriptor left.
  public func run(
    _ items: [Item], isInterrupted: () -> Bool = { false }, interruption: Int32? = nil,
    watch: (_ ended: [Board.Ended], _ running: [Board.Ticket]) -> Void
  ) throws(Errno) {
    try run(
      count: items.count, item: { items[$0] }, isInterrupted: isInterrupted, interruption: interruption, watch: watch)
  }

  /// One thread is enough to go on with.
  private func startWorkers(_ count: Int, _ board: Board) throws(Errno) {
    for number in 0..<max(count, 0) {
      do throws(Errno) {
        try startWorker(board)
      } catch {
        guard number > 0 else { throw error }
        return
      }
    }
  }

  private func startWorker(_ board: Board) throws(Errno) {
    try HostThread.startDetached { [work] in
      while let ticket = board.take() {
        // Another thread has taken the place of one that was given up.
        guard board.finish(ticket, work(ticket.item, ticket.control)) else { return }
      }
    }
  }

  /// Ends what takes too long, and gives up what does not come to its end even then.
  ///
  /// - Returns: When to look again; nil where nothing is going to be overdue.
  private func endOverdue(_ board: Board) -> ContinuousClock.Instant? {
    var next: ContinuousClock.Instant?
    for ticket in board.running {
      if ticket.control.ending == nil, let limit, .now >= ticket.start + limit { ticket.control.end(.overdue) }
      let deadline = ticket.control.ending.map { $0.time + grace } ?? limit.map { ticket.start + $0 }
      guard let deadline else { continue }
      if ticket.control.ending == nil || .now < deadline {
        next = min(next ?? deadline, deadline)
      } else if board.abandon(ticket), (try? startWorker(board)) == nil {
        // A host without a thread for the others' sake has bigger worries: what is left is not begun.
        board.close()
      }
    }
    return next
  }
}
