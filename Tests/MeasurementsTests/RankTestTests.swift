import TestImages
import Testing

@testable import Measurements

/// The test that tells two runs apart, on made-up rounds.
@Suite struct RankTestTests {
  private func rounds(_ count: Int, around center: Double, seed: UInt64) -> [Double] {
    var noise = SeededGenerator(seed: seed)
    return (0..<count).map { _ in center * Double.random(in: 0.97...1.03, using: &noise) }
  }

  @Test(arguments: [10, 40]) func `a shift of ten percent is found, whatever the method`(count: Int) throws {
    let before = rounds(count, around: 8000, seed: 1)
    let after = rounds(count, around: 8800, seed: 2)
    #expect(RankTest.pValue(before, after) < 0.001)
    let shift = try #require(Shift(from: before, to: after))
    #expect(shift.low <= shift.ratio && shift.ratio <= shift.high)
    #expect(shift.low > 1.05 && shift.high < 1.15)
  }

  @Test(arguments: [10, 40]) func `rounds of one distribution are found to differ as seldom as the level says`(
    count: Int
  ) {
    let trials = 200
    var found = 0
    var covered = 0
    for seed in 0..<UInt64(trials) {
      let first = rounds(count, around: 8000, seed: 2 * seed)
      let second = rounds(count, around: 8000, seed: 2 * seed + 1)
      if RankTest.pValue(first, second) < 0.05 { found += 1 }
      if let shift = Shift(from: first, to: second), shift.low <= 1, shift.high >= 1 { covered += 1 }
    }
    // 5 % of 200 are 10; more than 22 would come of such a test once in several thousand times.
    #expect((1...22).contains(found))
    #expect(covered >= trials - 22)
  }

  @Test func `small groups have the probabilities of the tables`() {
    // Three below three: 2 of the 20 ways to choose lie as far out.
    #expect(abs(RankTest.pValue([1, 2, 3], [4, 5, 6]) - 0.1) < 1e-12)
    // Five below five: 2 of 252.
    #expect(abs(RankTest.pValue([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 2.0 / 252) < 1e-12)
    #expect(RankTest.pValue([1, 4], [2, 3]) == 1)
    // Critical values of U at 2.5 % on a side: 2 for five and five, 23 for ten and ten.
    #expect(Shift.pairsBeyond(5, 5) == 3)
    #expect(Shift.pairsBeyond(10, 10) == 24)
  }

  @Test func `equal numbers and empty groups prove nothing`() {
    #expect(RankTest.pValue([7, 7, 7, 7], [7, 7, 7, 7]) == 1)
    #expect(RankTest.pValue([], [1, 2, 3]) == 1)
    #expect(RankTest.doubledMidranks([5, 1, 5]) == [5, 2, 5])
    #expect(Shift(from: [], to: [1]) == nil)
    #expect(Shift(from: [0], to: [1]) == nil)
  }

  @Test func `the exact and the approximate way agree where they meet`() {
    let first = rounds(30, around: 100, seed: 5)
    let second = rounds(30, around: 101, seed: 6)
    let exact = RankTest.pValue(first, second)
    let approximate = RankTest.pValue(first + [100], second + [100])
    #expect(abs(exact - approximate) < 0.05)
    #expect(abs(NormalDistribution.upperTail(1.959_964) - 0.025) < 1e-6)
    #expect(abs(NormalDistribution.upperTail(4) - 3.167e-5) < 1e-8)
    #expect(NormalDistribution.upperTail(0) == 0.5)
  }

  @Test func `Holm's correction multiplies the smallest by all and never lets the order change`() {
    #expect(Holm.adjusted([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06])
    #expect(Holm.adjusted([0.5, 0.9]) == [1, 1])
    #expect(Holm.adjusted([]) == [])
  }
}
