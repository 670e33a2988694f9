import TestImages
import Testing
import VMM

@testable import Control

/// Stimuli with their moments, and files of them.
@Suite struct InjectionTests {
  private func parse(_ text: String) throws(StimulusError) -> [Injection] {
    try InjectionList.parse(Array(text.utf8), vcpus: 2)
  }

  @Test(arguments: [
    ("nmi:0@5ms", GuestMoment.time(.milliseconds(5)), 1, Duration.zero),
    ("nmi:0@0s", .time(.zero), 1, .zero),
    ("nmi:0@mark:3", .mark(3), 1, .zero),
    ("nmi:0@mark:to halted vCPUs x10/2ms", .label("to halted vCPUs"), 10, .milliseconds(2)),
    ("nmi:0@mark:a@b x 1", .label("a@b x 1"), 1, .zero),
    ("nmi:0@exit:7  x2/0s", .exit(7), 2, .zero),
  ])
  func `an injection is read`(_ text: String, _ moment: GuestMoment, _ count: Int, _ interval: Duration) throws {
    let injection = try Injection(written: text)
    #expect(injection.moment == moment)
    #expect(injection.count == count)
    #expect(injection.interval == interval)
  }

  @Test(arguments: [
    "nmi:0", "nmi:0@", "nmi:0@mark:", "nmi:0@exit:0", "nmi:0@2d", "nmi:0@1ms x0/1ms", "nmi:0@1ms x100001/1ms",
    "nmi:0@1ms x2/2d", "nmi:0@1ms x2/", "nmi:0@1ms x-1/1ms", "nmi:0@mark:\u{1b}[2J", "nmi:0@mark:\u{202e}x",
  ])
  func `what is none is told`(_ text: String) {
    #expect(throws: StimulusError.self) { try Injection(written: text) }
  }

  @Test func `a file has one a line, with remarks, and is told of by its lines`() throws {
    let text = "# first\n\n  nmi:0@1ms  \r\nline:3=pulse@mark:go # no remark\n"
    #expect(try parse(text).map(\.moment) == [.time(.milliseconds(1)), .label("go # no remark")])
    let error = #expect(throws: StimulusError.self) { try parse("nmi:0@1ms\n\nnmi:2@1ms\n") }
    #expect(error?.description == "line 3: a vCPU is 0 to 1 here, not 2")
    #expect(throws: StimulusError.self) { try InjectionList.parse([0x6e, 0xff], vcpus: 1) }
  }

  @Test func `a run has a limited number, repetitions included`() throws {
    #expect(try parse(String(repeating: "nmi:0@1ms\n", count: 1000)).count == 1000)
    #expect(throws: StimulusError.self) { try parse(String(repeating: "nmi:0@1ms\n", count: 1001)) }
    #expect(throws: StimulusError.self) { try parse("nmi:0@1ms x100000/1us\nnmi:0@1ms") }
  }

  @Test func `damage in a file is refused or is another file, never more`() {
    var random = SeededGenerator(seed: 1)
    let text = Array("line:20=pulse@5ms x10/2ms\nmsi:0xfee01000:0x41@exit:7\nnmi:1@mark:go\nirqfd:24@0.5s\n".utf8)
    for _ in 0..<20_000 {
      var damaged = text
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = damaged.indices.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[place] = .random(in: .min ... .max, using: &random)
        case 1: damaged.remove(at: place)
        default: damaged.insert(text.randomElement(using: &random) ?? 0, at: place)
        }
      }
      guard let injections = try? InjectionList.parse(damaged, vcpus: 2) else { continue }
      #expect(injections.count <= 12)
      for injection in injections {
        #expect((try? injection.stimulus.validate(vcpus: 2)) != nil)
        #expect((1...Injection.countLimit).contains(injection.count))
      }
    }
  }
}
