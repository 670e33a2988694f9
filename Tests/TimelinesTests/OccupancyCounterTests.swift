import APIC
import Testing

@testable import Evidence
@testable import Timelines

@Suite struct OccupancyCounterTests {
  private func told(_ journeys: [InterruptJourney], keeping limit: Int = 1000) -> [[Int64]] {
    var counter = OccupancyCounter(keeping: limit)
    var found: [[Int64]] = []
    let note = { (occupancy: TimelineOccupancy) in
      found.append([occupancy.time, Int64(occupancy.requested), Int64(occupancy.inService)])
    }
    for (number, journey) in journeys.enumerated() {
      counter.take(TimelineJourney(number: number + 1, journey: journey, exit: nil), note)
    }
    counter.finish(note)
    return found
  }

  @Test func `journeys count in any order`() {
    let journeys = [0, 50, 400, 90, 2000].map { InterruptJourney.injected(at: $0) }
    #expect(told(journeys) == told(journeys.reversed()))
    #expect(told(journeys).last == [3100, 0, 0])
  }

  @Test func `what comes too late for its place counts from where that was, and all is even at the end`() {
    let journeys = [5000, 6000, 7000, 0].map { InterruptJourney.injected(at: $0, served: 10) }
    let moments = told(journeys, keeping: 4)
    #expect(moments.map { $0[0] } == moments.map { $0[0] }.sorted())
    #expect(moments.last.map { Array($0[1...]) } == [0, 0])
  }

  @Test func `what is not known to have been delivered does not count`() {
    var journey = InterruptJourney.injected(at: 0)
    journey.injected = nil
    #expect(told([journey]) == [])
  }
}
