import APIC
import JSON
import TestImages
import Testing

@testable import Control

/// What a client writes on the control socket, and what it gets for it.
@Suite struct ControlRequestTests {
  private func request(_ text: String) throws(ControlRequestError) -> ControlRequest {
    try ControlRequest(line: Array(text.utf8), vcpus: 2)
  }

  private func problem(_ text: String) -> String? {
    #expect(throws: ControlRequestError.self) { try request(text) }?.problem
  }

  @Test(arguments: [
    (#"{"verb":"line","gsi":20,"level":1}"#, ControlRequest.Action.inject(.line(gsi: 20, .high))),
    (#"{"verb":"line","gsi":"0x14","level":"pulse"}"#, .inject(.line(gsi: 20, .pulse))),
    (
      #"{"verb":"msi","address":"0xfee01000","data":65}"#,
      .inject(.msi(MSIMessage(address: 0xfee0_1000, data: 0x41)))
    ),
    (#"{"verb":"nmi","vcpu":1}"#, .inject(.nmi(vcpu: 1))), (#"{"verb":"irqfd","gsi":24}"#, .inject(.irqfd(gsi: 24))),
    (#"{"verb":"pause"}"#, .pause), (#"{"verb":"resume"}"#, .resume), (#"{"verb":"inspect"}"#, .inspect(.document)),
    (#"{"verb":"inspect","format":"json"}"#, .inspect(.document)),
    (#"{"verb":"inspect","format":"text"}"#, .inspect(.text)),
    (#"{"verb":"snapshot","file":"a b"}"#, .snapshot(file: "a b")), (#"{"verb":"statistics"}"#, .statistics),
    (#"{"verb":"stop"}"#, .stop),
  ])
  func `each verb is read`(_ text: String, _ action: ControlRequest.Action) throws {
    #expect(try request(text) == ControlRequest(id: nil, action: action))
  }

  @Test(arguments: [
    ("hello", "no JSON"), ("[]", "an object expected, not an array"), ("{}", "verb is missing"),
    (#"{"verb":"jump"}"#, "there is no verb 'jump'; there are line, msi"),
    (#"{"verb":"line","gsi":4096,"level":1}"#, "a GSI is 0 to 4095, not 4096"),
    (#"{"verb":"line","gsi":-1,"level":1}"#, "gsi is an integer from 0"),
    (#"{"verb":"line","gsi":1,"level":2}"#, "level is 0, 1 or \"pulse\""),
    (#"{"verb":"line","gsi":1}"#, "level is missing"),
    (#"{"verb":"msi","address":1,"data":1}"#, "0xfee00000 to 0xfeefffff"),
    (#"{"verb":"nmi","vcpu":2}"#, "a vCPU is 0 to 1 here, not 2"),
    (#"{"verb":"snapshot","file":""}"#, "file is a string"),
    (#"{"verb":"snapshot","file":"a\u0000"}"#, "without a NUL"),
    (#"{"verb":"pause","now":true}"#, "pause has no member 'now'"), (#"{"verb":"pause","verb":"stop"}"#, "twice"),
    (#"{"id":{},"verb":"pause"}"#, "an id is"), (#"{"verb":[[[[1]]]]}"#, "nests deeper"),
  ])
  func `what is none is told with what is wanted`(_ text: String, _ words: String) {
    #expect(problem(text)?.contains(words) == true)
  }

  @Test func `an answer has the id of its request, of one that is wrong too`() throws {
    let error = #expect(throws: ControlRequestError.self) { try request(#"{"id":"a\n","verb":"jump"}"#) }
    let refusal = String(decoding: ControlAnswer(try #require(error)).line, as: UTF8.self)
    #expect(refusal.hasPrefix(#"{"id":"a\u000a","ok":false,"error":"there is no verb"#))
    #expect(refusal.split(separator: "\n").count == 1)
    let answer = ControlAnswer(id: .number(7), result: InjectionAnswer.delivered(2).result)
    #expect(
      String(decoding: answer.line, as: UTF8.self)
        == #"{"id":7,"ok":true,"answer":"delivered","destinations":2}"# + "\n")
  }

  @Test func `damage is refused or is another request, and its answer is one line of JSON`() {
    var random = SeededGenerator(seed: 3)
    let texts = [
      #"{"id":17,"verb":"line","gsi":20,"level":"pulse"}"#,
      #"{"id":"x","verb":"msi","address":"0xfee01000","data":65}"#,
      #"{"verb":"snapshot","file":"name.json"}"#,
    ]
    for round in 0..<20_000 {
      var line = Array(texts[round % texts.count].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = line.indices.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) {
          line[place] = .random(in: .min ... .max, using: &random)
        } else {
          line.remove(at: place)
        }
      }
      do throws(ControlRequestError) {
        _ = try ControlRequest(line: line, vcpus: 2)
      } catch {
        let answer = ControlAnswer(error).line
        #expect(answer.count { $0 == 0x0a } == 1 && answer.last == 0x0a)
        #expect((try? JSONValue(parsing: answer, limits: JSONLimits(bytes: 8192, values: 16))) != nil)
      }
    }
  }
}
