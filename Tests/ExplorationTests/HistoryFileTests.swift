import Exploration
import JSON
import Testing

/// Histories in files.
struct HistoryFileTests {
  private func history() -> History {
    var generator = HistoryGenerator(seed: 11, hasGuest: true)
    return History(machine: generator.machine(), steps: (0..<40).map { _ in generator.step() })
  }

  @Test func `a history comes back from its file as it was`() throws {
    let history = history()
    let text = HistoryFile(history: history, fault: "lost-eoi").text
    let file = try HistoryFile(reading: Array(text.utf8))
    #expect(file.history.machine == history.machine)
    #expect(file.history.steps.map(\.text) == history.steps.map(\.text))
    #expect(file.fault == "lost-eoi")
  }

  @Test(arguments: [
    ("", "empty"), ("[]", "an array"), (#"{"schema":"lapwing.history/2"}"#, "another schema"),
    (#"{"schema":"lapwing.history/1","steps":[]}"#, "no machine"),
    (#"{"schema":"lapwing.history/1","machine":{"vcpus":9,"startsInX2APIC":true},"steps":[]}"#, "nine vCPUs"),
    (#"{"schema":"lapwing.history/1","machine":{"vcpus":1},"steps":[{"do":"no.such"}]}"#, "no such operation"),
    (
      #"{"schema":"lapwing.history/1","machine":{"vcpus":1},"steps":[{"do":"register.eoi"}]}"#, "an argument is missing"
    ),
    (
      #"{"schema":"lapwing.history/1","machine":{"vcpus":1},"steps":[{"do":"register.eoi","vcpu":"0x0","x":"0x0"}]}"#,
      "one too many"
    ),
    (#"{"schema":"lapwing.history/1","machine":{"vcpus":1},"steps":[],"fault":"none such"}"#, "no such fault"),
  ])
  func `a damaged file is refused`(text: String, reason: String) {
    #expect(throws: JSONError.self, "\(reason)") { try HistoryFile(reading: Array(text.utf8)) }
  }

  @Test func `no damage of a file is more than an error`() throws {
    let text = Array(HistoryFile(history: history()).text.utf8)
    var random = HistoryRandom(seed: 5)
    for _ in 0..<500 {
      var damaged = text
      let place = Int(random.next() % UInt64(damaged.count))
      damaged[place] = UInt8(truncatingIfNeeded: random.next())
      // It is read or refused.
      _ = try? HistoryFile(reading: damaged)
    }
    #expect(try HistoryFile(reading: text).history.steps.count == 40)
  }
}
