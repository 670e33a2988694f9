import APIC
import Foundation
import Testing

@testable import Evidence
@testable import Timelines

@Suite struct PictureTests {
  @Test func `a picture shows the interrupt in the middle of its kind, and how many there are`() throws {
    let journeys = [300, 100, 200].enumerated().map {
      InterruptJourney.injected(at: Int64($0.offset) * 10_000, waits: Int64($0.element))
    }
    let picture = String(decoding: try MadeUpTimeline(.svg).write("guest", [], journeys), as: UTF8.self)
    #expect(picture.contains("0x50 from vCPU 0 to vCPU 1"))
    #expect(picture.contains("injected, all 3; waited 200 ns (median), 300 ns (longest)"))
    #expect(picture.contains("injected +200 ns") && picture.contains("EOI +1.20 µs"))
  }

  @Test func `two machines stand side by side, and what one of them lacks is named`() throws {
    let made = try MadeUpTimeline(.svg)
    let file = try made.begin()
    for (name, vectors) in [("left", [0x50, 0x60]), ("right", [0x50])] as [(String, [UInt8])] {
      var timeline = MadeUpTimeline.machine(name, in: file)
      for vector in vectors { timeline.take(.injected(at: Int64(vector) * 1000, vector: Vector(rawValue: vector))) }
      timeline.finish(lost: 0, absent: [])
    }
    try file.commit()
    let picture = String(decoding: try made.bytes, as: UTF8.self)
    #expect(picture.contains(">left</text>") && picture.contains(">right</text>"))
    #expect(picture.contains("0x60 from vCPU 0 to vCPU 1: none"))
  }

  @Test func `texts of others are texts in it, and it stays well-formed`() throws {
    let made = try MadeUpTimeline(.svg)
    let name = "</title><script>alert(1)</script> & \u{0}\u{1b}[31m\u{ffff}"
    let picture = String(decoding: try made.write(name, [], [.injected(at: 0)]), as: UTF8.self)
    #expect(!picture.contains("<script") && picture.contains("&lt;script&gt;alert(1)"))
    #expect(!picture.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value >= 0xfffe })
  }

  @Test func `however much there is, a picture stays small`() throws {
    let made = try MadeUpTimeline(.svg)
    let file = try made.begin()
    for machine in 1...40 {
      var timeline = MadeUpTimeline.machine("machine \(machine)", in: file)
      for number in 0..<2000 {
        let vector = Vector(rawValue: UInt8(32 + number % 220))
        timeline.take(event(UInt64(number) * 10, on: 101, .entered(vcpuID: 7)), at: Int64(number) * 10)
        timeline.take(
          event(UInt64(number) * 10 + 5, on: 101, .exited(reason: ExitReason(number: UInt32(number), architecture: 1))),
          at: Int64(number) * 10 + 5)
        timeline.take(.injected(at: Int64(number) * 10, vector: vector))
      }
      timeline.finish(lost: 0, absent: [])
    }
    try file.commit()
    let bytes = try made.bytes
    #expect(bytes.count < 500_000)
    #expect(String(decoding: bytes, as: UTF8.self).contains("more machines are not shown here"))
  }

  @Test func `lengths of time have three digits that count`() {
    let texts = [0, 999, 1000, 1234, 9994, 9995, 12_345, 999_499, 1_500_000, 2_000_000_000].map(PictureTime.text)
    #expect(
      texts == ["0 ns", "999 ns", "1 µs", "1.23 µs", "9.99 µs", "10 µs", "12.3 µs", "999 µs", "1.50 ms", "2 s"])
  }
}
