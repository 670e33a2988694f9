import Glibc
import Support
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct WorkTests {
  @Test(arguments: [1, 3, 20])
  func `every item is worked on once, and whoever watches sees its outcome once`(jobs: Int) throws {
    var runner = WorkRunner<Int, Int> { item, _ in item * 2 }
    runner.jobs = jobs
    var outcomes: [Int] = []
    try runner.run(count: 10, item: { $0 }, watch: { ended, _ in outcomes += ended.compactMap(\.outcome) })
    #expect(outcomes.sorted() == (0..<10).map { $0 * 2 })
  }

  @Test func `no work is done at once`() throws {
    var looks = 0
    try WorkRunner<Int, Int> { item, _ in item }.run([]) { _, _ in looks += 1 }
    #expect(looks == 1)
  }

  @Test func `whoever watches is called for what changes, not again and again`() throws {
    var looks = 0
    let runner = WorkRunner<Int, Int> { item, _ in
      usleep(100_000)
      return item
    }
    try runner.run([1, 2, 3]) { _, _ in looks += 1 }
    // An item that is taken and one that ends: two changes each, and the first look.
    #expect((2...7).contains(looks), "\(looks) looks")
  }

  @Test func `what takes too long is ended, and what does not end even then is given up`() throws {
    let isOver = Atomic<Bool>(false)
    let reached = Mutex<[Int]>([])
    var runner = WorkRunner<Int, WorkControl.Reason?> { item, control in
      while item == 0, control.reason == nil { usleep(1000) }
      while item == 1, !isOver.load(ordering: .relaxed) { usleep(1000) }
      reached.withLock { $0.append(item) }
      return control.reason
    }
    runner.limit = .milliseconds(20)
    runner.grace = .milliseconds(20)
    var outcomes: [Int: WorkControl.Reason??] = [:]
    try runner.run([0, 1, 2]) { ended, _ in
      for ended in ended { outcomes[ended.ticket.item] = .some(ended.outcome) }
    }
    isOver.store(true, ordering: .relaxed)
    #expect(outcomes.count == 3)
    #expect(outcomes[0] == .some(.some(.overdue)))
    #expect(outcomes[1] == .some(.none))
    #expect(outcomes[2] == .some(.some(nil)))
  }

  @Test(.timeLimit(.minutes(1))) func `a board that is closed before anything was taken lets go of who waits for it`()
    throws
  {
    let board = try WorkBoard<Int, Int>(count: [1, 2].count) { [1, 2][$0] }
    board.close()
    board.waitForChange(until: nil, or: nil)
    #expect(board.isIdle)
  }

  @Test(.timeLimit(.minutes(1))) func `an interruption ends what goes on and begins nothing more`() throws {
    let begun = Atomic<Int>(0)
    let stopped = Atomic<Int>(0)
    var runner = WorkRunner<Int, Int> { item, control in
      control.whenEnded { stopped.add(1, ordering: .relaxed) }
      if item > 0 { begun.add(1, ordering: .relaxed) }
      // The first ends, and has the rest interrupted, only when there is something to interrupt.
      while item == 0, begun.load(ordering: .relaxed) == 0 { usleep(1000) }
      while item > 0, control.reason == nil { usleep(1000) }
      control.whenEnded(nil)
      return item
    }
    runner.jobs = 2
    var seen: [Int] = []
    try runner.run(
      Array(0..<20), isInterrupted: { seen.contains(0) }, watch: { ended, _ in seen += ended.map(\.ticket.item) })
    #expect(seen.count <= 4)
    #expect(stopped.load(ordering: .relaxed) >= 1)
  }

  @Test func `a wait ends at its signal, at its deadline, and when another descriptor can be read`() throws {
    let wakeup = try Wakeup()
    let before = ContinuousClock.now
    wakeup.wait(until: before + .milliseconds(30))
    #expect(.now - before >= .milliseconds(30))
    wakeup.signal()
    wakeup.wait()
    let other = try Wakeup()
    let thread = try HostThread.start { other.signal() }
    other.wait()
    pthread_join(thread, nil)
    var ends: [Int32] = [0, 0]
    // Sound: the call writes the two numbers; the byte is valid during the call.
    #expect(unsafe pipe(&ends) == 0)
    #expect(unsafe write(ends[1], [1 as UInt8], 1) == 1)
    wakeup.wait(or: ends[0])
    for end in ends { close(end) }
  }

  @Test func `what ends work is called at once where the work has been ended already`() {
    let count = Atomic<Int>(0)
    let control = WorkControl()
    control.end(.overdue)
    control.whenEnded { count.add(1, ordering: .relaxed) }
    control.end(.interrupted)
    #expect(control.reason == .overdue)
    #expect(count.load(ordering: .relaxed) == 2)
  }
}
