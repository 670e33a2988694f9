import Foundation
import TestImages
import Testing

/// Interrupts from outside at their moments: `lapwing run --inject`.
@Suite(.needsKVM) struct InjectionCommandTests {
  private struct Entry: Decodable, Equatable {
    var stimulus: String
    var moment: String
    var repetition: Int
    var time: Int64?
    var answer: String
    var destinations: Int?
    var missing: Int?
  }

  private struct Document: Decodable {
    var injections: [Entry]
  }

  private static let wait = MultibootImage.waitingForInterrupt

  private func run(_ bytes: [UInt8], _ options: [String]) throws -> (result: Program.Result, entries: [Entry]) {
    let file = try GuestFile(bytes)
    let result = try Program.run(["run", file.path, "--timeout", "60s", "--format", "json"] + options)
    let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    return (result, document.injections)
  }

  @Test func `a guest that is halted is not ended while an injection is to come, which wakes it`() throws {
    let (result, entries) = try run(Self.wait.bytes, ["--inject", "msi:0xfee00000:0x40@300ms"])
    #expect(result.status == 0)
    #expect(entries.map(\.answer) == ["delivered"])
    #expect(entries.first?.destinations == 1)
  }

  @Test func `once the last has come and woke nobody, the guest is ended as without it`() throws {
    let (result, entries) = try run(Self.wait.bytes, ["--inject", "line:20=pulse@200ms"])
    #expect(result.status == 1)
    #expect(result.output.contains("nothing can wake one"))
    #expect(entries.map(\.answer) == ["ignored"])
  }

  @Test func `an injection at an exit that a halted guest never makes keeps it from nothing`() throws {
    let (result, entries) = try run(Self.wait.bytes, ["--inject", "msi:0xfee00000:0x40@exit:4000 x3/1ms"])
    #expect(result.status == 1)
    #expect(result.output.contains("nothing can wake one"))
    #expect(entries.map(\.answer) == ["never-came"])
    #expect(entries.first?.missing == 3)
    #expect(entries.first?.time == nil)
  }

  @Test func `an NMI takes a halted vCPU out of KVM and comes to it`() throws {
    let (result, entries) = try run(Self.wait.bytes, ["--inject", "nmi:0@100ms"])
    #expect(result.status == 1)
    #expect(result.output.contains("a triple fault"))
    #expect(entries.map(\.answer) == ["sent"])
  }

  /// Prints four characters, an exit each, waits for an interrupt that a later exit's injection pends, and is ended by it:
  /// without a handler it is a triple fault.
  @Test func `an injection at an exit comes before the guest goes on`() throws {
    // The NMI comes with the second character: the third is never printed.
    let code = Code(.long).print("abcd").debugExit(0)
    let (result, entries) = try run(
      ELFImage(code: code.bytes).bytes, ["--inject", "nmi:0@exit:2", "--inject", "irqfd:30@exit:1"])
    #expect(result.output.contains("\"text\" : \"ab\""))
    #expect(result.output.contains("a triple fault"))
    #expect(entries.map(\.stimulus) == ["irqfd:30", "nmi:0"])
  }

  @Test func `the same file gives the same order, again and again`() throws {
    let folder = try Folder()
    try folder.write(
      """
      # Written in another order than that in which they come.
      line:20=1@exit:3
      line:21=pulse@exit:1
      line:20=0@exit:3
      irqfd:40@exit:2
      msi:0xfee01000:0x41@exit:1
      """, to: "stimuli")
    let code = Code(.long).print("abcd").debugExit(0)
    for _ in 0..<3 {
      let (result, entries) = try run(
        ELFImage(code: code.bytes).bytes, ["--inject-file", folder.path("stimuli"), "--strict"])
      #expect(result.status == 0)
      #expect(
        entries.map(\.stimulus) == [
          "line:21=pulse", "msi:0xfee01000:0x41", "irqfd:40", "line:20=1", "line:20=0",
        ])
      #expect(entries.map(\.answer) == ["ignored", "blocked", "sent", "ignored", "delivered"])
    }
  }

  @Test func `repetitions follow by the clock`() throws {
    let image = ELFImage(code: Code(.long).print("a").spin().bytes).bytes
    let (result, entries) = try run(
      image, ["--inject", "line:20=pulse@exit:1 x5/1ms", "--timeout", "1s"])
    #expect(result.status == 124)
    #expect(entries.map(\.repetition) == [1, 2, 3, 4, 5])
    let times = entries.compactMap(\.time)
    #expect(times.count == 5 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func `a mark by its text is a moment, of a guest that tells of its marks`() throws {
    let result = try Program.run([
      "run", "ipi", "--vcpus", "2", "--inject", "line:20=pulse@mark:broadcast", "--inject", "irqfd:30@mark:self",
      "--strict",
    ])
    #expect(result.status == 0)
    let first = try #require(result.output.range(of: "irqfd:30")?.lowerBound)
    let second = try #require(result.output.range(of: "line:20=pulse")?.lowerBound)
    #expect(first < second)
  }

  @Test func `with --strict what never came makes the run fail, and without it not`() throws {
    let options = ["run", "hello", "--inject", "irqfd:30@exit:4000000"]
    let lenient = try Program.run(options)
    #expect(lenient.status == 0)
    #expect(lenient.output.contains("never came"))
    let strict = try Program.run(options + ["--strict"])
    #expect(strict.status == 1)
    #expect(strict.errors == "lapwing: --strict: not all that was to be injected came to the guest\n")
  }

  @Test func `what is out of range is told before anything runs`() throws {
    let usage = try Program.run(["run", "hello", "--inject", "line:5000=1@1ms"])
    #expect(usage.status == 64)
    #expect(usage.errors.contains("a GSI is 0 to 4095, not 5000"))
    let index = try Program.run(["run", "hello", "--inject", "nmi:1@1ms"])
    #expect(index.status == 64)
    #expect(index.errors == "lapwing: --inject: a vCPU is 0 to 0 here, not 1\n")
    let folder = try Folder()
    try folder.write("irqfd:1@1ms\nirqfd:4096@1ms\n", to: "stimuli")
    let file = try Program.run(["run", "hello", "--inject-file", folder.path("stimuli")])
    #expect(file.status == 65)
    #expect(file.errors.hasSuffix(": line 2: a GSI is 0 to 4095, not 4096\n"))
    #expect(try Program.run(["run", "hello", "--inject-file", "/no/such/file"]).status == 65)
    #expect(try Program.run(["run", "hello", "--strict"]).status == 64)
    for result in [usage, index, file] { #expect(result.output == "") }
  }
}
