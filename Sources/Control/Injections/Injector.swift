import Glibc
import Support
import Synchronization
public import SystemPackage
public import VMM

/// Carries out the injections of a run.
///
/// What comes at an exit or a mark is carried out by the thread of the vCPU that came there, before it enters the guest again;
/// what comes by the clock, repetitions included, by a thread of its own.
public final class Injector: Sendable {
  /// What was carried out.
  public struct Occurrence: Hashable, Sendable {
    /// The injection's place in the list.
    public var injection: Int
    /// Which of its repetitions, from 0.
    public var number: Int
    /// When KVM was told.
    public var time: ContinuousClock.Instant
    /// What it answered; nil where the vCPU of an NMI did not come out of the guest any more.
    public var answer: InjectionAnswer?
  }

  private struct State {
    var schedule: InjectionSchedule
    var done: [Occurrence] = []
    /// How many were handed on and not answered yet.
    var unanswered = 0
    /// Until when an irqfd may still be on its way.
    var mayArriveUntil: ContinuousClock.Instant?
    var hasStarted = false
    var isOver = false
  }

  /// What is carried out, in the order in which it was written.
  public let injections: [Injection]
  private let machine: Machine
  private let state: Mutex<State>
  private let wakeup: Wakeup
  private let thread = Mutex<pthread_t?>(nil)
  private let expected = Mutex<[ExpectedMoment]>([])

  /// KVM raises the line of an irqfd on a thread of its own (`irqfd_inject`).
  private static let patience = Duration.seconds(1)

  /// Prepares the injections of a machine that has not been started.
  ///
  /// - Parameters:
  ///   - injections: what; their vCPUs are the machine's.
  ///   - machine: the machine. It does not go before `finish`.
  /// - Throws: `Errno` where the host has no thread or descriptor left.
  public init(_ injections: [Injection], into machine: Machine) throws(Errno) {
    self.injections = injections
    self.machine = machine
    state = Mutex(State(schedule: InjectionSchedule(injections)))
    wakeup = try Wakeup()
    let started = try HostThread.start { [self] in run() }
    thread.withLock { $0 = started }
    machine.atStart { [weak self] in self?.start($0) }
    for (index, injection) in injections.enumerated() {
      if case .time = injection.moment { continue }
      let moment = machine.expect(injection.moment) { [self] in reached(index) }
      expected.withLock { $0.append(moment) }
    }
  }

  /// Whether one is still to come that the guest need do nothing for: by the clock, or on its way.
  public var isComing: Bool {
    state.withLock { state in
      if state.isOver { return false }
      // Before the start nothing is known yet.
      return !state.hasStarted || !state.schedule.isEmpty || state.unanswered > 0
        || state.mayArriveUntil.map { $0 > .now } ?? false
    }
  }

  /// Ends it, after the machine. Called once.
  ///
  /// - Returns: what was carried out, in that order.
  public func finish() -> [Occurrence] {
    for moment in expected.withLock({ $0 }) { machine.forget(moment) }
    state.withLock { $0.isOver = true }
    wakeup.signal()
    if let started = thread.withLock({ $0.take() }) { pthread_join(started, nil) }
    return state.withLock { $0.done }
  }

  private func start(_ moment: ContinuousClock.Instant) {
    state.withLock { state in
      for (index, injection) in injections.enumerated() {
        if case .time(let time) = injection.moment { state.schedule.add(index, first: moment + time) }
      }
      state.hasStarted = true
    }
    wakeup.signal()
  }

  /// On the thread of the vCPU that came to the injection's moment.
  private func reached(_ index: Int) {
    let now = ContinuousClock.now
    state.withLock { state in
      guard !isOver(state) else { return }
      state.schedule.add(index, first: now, from: 1)
      carryOut(index, 0, &state)
    }
    if injections[index].count > 1 { wakeup.signal() }
  }

  /// On the injector's own thread.
  private func run() {
    while true {
      let next: ContinuousClock.Instant? = state.withLock { state in
        // Only so many at once, so that a vCPU that comes to its moment need not wait for all of them.
        for _ in 0..<16 where !isOver(state) {
          guard let due = state.schedule.take(at: .now) else { break }
          carryOut(due.injection, due.occurrence, &state)
        }
        return state.schedule.nextTime
      }
      if state.withLock({ isOver($0) }) { return }
      wait(until: next)
    }
  }

  /// Nothing comes to a guest that has ended.
  private func isOver(_ state: borrowing State) -> Bool { state.isOver || machine.stop.reason != nil }

  /// poll(2) counts milliseconds: what is left of one is slept.
  private func wait(until next: ContinuousClock.Instant?) {
    guard let next else { return wakeup.wait() }
    let left = next - .now
    if left > .milliseconds(2) { return wakeup.wait(until: next - .milliseconds(1)) }
    if left > .zero { usleep(UInt32(max(left / .microseconds(1), 1))) }
  }

  /// The lock is held, so that what is written down has the order in which KVM was told. Nothing here waits for a vCPU.
  private func carryOut(_ index: Int, _ number: Int, _ state: inout State) {
    let stimulus = injections[index].stimulus
    let place = state.done.count
    state.done.append(Occurrence(injection: index, number: number, time: .now, answer: nil))
    if case .irqfd = stimulus { state.mayArriveUntil = .now + Self.patience }
    if case .nmi = stimulus {
      // Its answer may come on this thread, which holds the lock, or on another.
      state.unanswered += 1
      let answers = AnswerBox { [weak self] answer in
        self?.state.withLock { state in
          state.unanswered -= 1
          state.done[place].answer = answer
        }
      }
      machine.inject(stimulus) { answers.fill($0) }
      if let early = answers.open() {
        state.unanswered -= 1
        state.done[place].answer = early
      }
      return
    }
    let answers = AnswerBox { _ in }
    machine.inject(stimulus) { answers.fill($0) }
    state.done[place].answer = answers.open()
  }
}

/// Takes an answer that may come before or after its receiver can take it.
private final class AnswerBox: Sendable {
  private let state = Mutex<(answer: InjectionAnswer?, isOpen: Bool)>((nil, false))
  private let late: @Sendable (InjectionAnswer) -> Void

  /// - Parameter late: called with an answer that comes after `open`.
  init(late: @escaping @Sendable (InjectionAnswer) -> Void) { self.late = late }

  func fill(_ answer: InjectionAnswer) {
    let isLate = state.withLock { state in
      state.answer = answer
      return state.isOpen
    }
    if isLate { late(answer) }
  }

  /// The answer that has come; nil where it is to come.
  func open() -> InjectionAnswer? {
    state.withLock { state in
      state.isOpen = true
      return state.answer
    }
  }
}
