import Testing

@testable import Exploration

/// The checker of orders by itself, on machines that are a number or two.
struct OrderCheckerTests {
  /// What is done to two numbers.
  private struct Call: SplitCall {
    enum Piece: Hashable {
      case write(Int, Int)
      case add(Int, Int)
      case read(Int)
      /// Takes the machine for itself, or waits until it is free.
      case lock
      case unlock
    }

    var pieces: [Piece]
    var seen: Int?
    var answer = 0
    var holds = false

    init(_ pieces: Piece..., seen: Int? = nil) {
      self.pieces = pieces
      self.seen = seen
    }

    mutating func advance(_ machine: inout [Int]) -> Bool {
      if machine[2] != 0, !holds { return false }
      switch pieces.removeFirst() {
      case .write(let place, let value): machine[place] = value
      case .add(let place, let value): machine[place] += value
      case .read(let place): answer = machine[place]
      case .lock: (machine[2], holds) = (1, true)
      case .unlock: (machine[2], holds) = (0, false)
      }
      return true
    }

    var isEnded: Bool { pieces.isEmpty }
    var isAnswered: Bool { seen == nil || seen == answer }
  }

  private static func recorded(_ call: Call, _ begin: UInt64 = 0, _ end: UInt64 = 100) -> RecordedCall<Call> {
    RecordedCall(call: call, begin: begin, end: end)
  }

  private func check(
    _ actors: [[RecordedCall<Call>]], limit: Int = 10_000, _ isRight: ([Int]) -> Bool = { _ in true }
  ) -> OrderChecker<Call>.Outcome {
    OrderChecker(actors, limit: limit).check(from: [[0, 0, 0]], isRight)
  }

  /// The machines that are right.
  private func ends(_ outcome: OrderChecker<Call>.Outcome) -> Set<[Int]> { Set(outcome.machines) }

  @Test func `two writes at the same time leave either value, and no third`() {
    let actors = [[Self.recorded(Call(.write(0, 1)))], [Self.recorded(Call(.write(0, 2)))]]
    #expect(ends(check(actors)) == [[1, 0, 0], [2, 0, 0]])
    #expect(check(actors) { $0[0] == 3 }.machines.isEmpty)
    #expect(Set(check(actors) { $0[0] == 3 }.wrongMachines) == [[1, 0, 0], [2, 0, 0]])
  }

  @Test func `a call that had returned before another was begun comes before it`() {
    let actors = [[Self.recorded(Call(.write(0, 1)), 0, 10)], [Self.recorded(Call(.write(0, 2)), 11, 20)]]
    #expect(!OrderChecker(actors, limit: 1).hasOverlap)
    #expect(ends(check(actors)) == [[2, 0, 0]])
    // At one and the same moment nobody knows.
    let touching = [[Self.recorded(Call(.write(0, 1)), 0, 10)], [Self.recorded(Call(.write(0, 2)), 10, 20)]]
    #expect(ends(check(touching)).count == 2)
    #expect(OrderChecker(touching, limit: 1).hasOverlap)
  }

  @Test func `each actor keeps its own order`() {
    let actors = [
      [Self.recorded(Call(.write(0, 1)), 0, 1), Self.recorded(Call(.write(0, 2)), 2, 100)],
      [Self.recorded(Call(.read(0), seen: 1)), Self.recorded(Call(.read(0), seen: 2))],
    ]
    #expect(ends(check(actors)) == [[2, 0, 0]])
    // Who has read the second value cannot read the first then.
    let backwards = [
      actors[0], [Self.recorded(Call(.read(0), seen: 2), 0, 50), Self.recorded(Call(.read(0), seen: 1), 51, 100)],
    ]
    #expect(check(backwards).machines.isEmpty)
  }

  @Test func `an update that is lost has no order, and has one where it is made of two pieces`() {
    let whole = [[Self.recorded(Call(.add(0, 1)))], [Self.recorded(Call(.add(0, 1)))]]
    #expect(check(whole) { $0[0] == 1 }.machines.isEmpty)
    let pieces = [
      [Self.recorded(Call(.read(0), .write(0, 1)))], [Self.recorded(Call(.read(0), .write(0, 1)))],
    ]
    #expect(ends(check(pieces)) == [[1, 0, 0]])
  }

  @Test func `a call of two pieces may be seen half done, and one that holds the machine may not`() {
    let reader = [Self.recorded(Call(.read(0), seen: 1)), Self.recorded(Call(.read(1), seen: 0))]
    let writer = [Self.recorded(Call(.write(0, 1), .write(1, 1)))]
    #expect(ends(check([writer, reader])) == [[1, 1, 0]])
    let holder = [Self.recorded(Call(.lock, .write(0, 1), .write(1, 1), .unlock))]
    #expect(check([holder, reader]).machines.isEmpty)
  }

  @Test func `what was reached before is not looked at again`() {
    // 8 calls of one piece that all do the same: of 8! / (2! * 2! * 2! * 2!) orders there are few ends.
    let actors = (0..<4).map { _ in (0..<2).map { _ in Self.recorded(Call(.add(0, 1))) } }
    let outcome = check(actors)
    #expect(ends(outcome) == [[8, 0, 0]])
    #expect(outcome.tried <= 81 * 4)
    #expect(!outcome.isCutOff)
  }

  @Test func `a search that is cut off says so, and is no agreement`() {
    let actors = (0..<4).map { actor in (0..<2).map { Self.recorded(Call(.write(0, actor * 2 + $0))) } }
    #expect(!check(actors).isCutOff)
    #expect(check(actors, limit: 20).isCutOff)
  }

  @Test func `every machine that may be the beginning is followed`() {
    let actors = [[Self.recorded(Call(.read(0), seen: 7))]]
    let outcome = OrderChecker(actors, limit: 100).check(from: [[0, 0, 0], [7, 0, 0], [7, 1, 0]]) { _ in true }
    #expect(ends(outcome) == [[7, 0, 0], [7, 1, 0]])
  }

  @Test func `the answers that orders lead to are told, whatever was seen`() {
    let actors = [[Self.recorded(Call(.read(0), seen: 5))], [Self.recorded(Call(.write(0, 1)))]]
    #expect(check(actors).machines.isEmpty)
    let answers = OrderChecker(actors, limit: 100).answers(from: [[0, 0, 0]])
    #expect(answers == [[[0], [0]], [[1], [0]]])
  }

  @Test func `no actors, and actors with nothing to do, leave the machine as it was`() {
    #expect(ends(check([])) == [[0, 0, 0]])
    #expect(ends(check([[], []])) == [[0, 0, 0]])
  }
}
