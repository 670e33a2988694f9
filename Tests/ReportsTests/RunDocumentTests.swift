import Foundation
import Testing

@testable import Reports

/// The JSON document `lapwing.run/1`: programs read it, so its keys stay.
@Suite struct RunDocumentTests {
  @Test func `the document has these keys and no others`() throws {
    let text = try JSONDocument.text(RunReport.madeUp())
    #expect(
      try DocumentKeys.of(text) == [
        "brokenQueues[]", "checks[].holds", "checks[].label", "checks[].saw", "checks[].time", "checks[].vcpu",
        "console.droppedBytes",
        "console.text", "droppedRecords", "guest", "interrupts[].count", "interrupts[].first", "interrupts[].last",
        "interrupts[].vcpu", "interrupts[].vector", "machine.apic", "machine.backEnd", "machine.cpu",
        "machine.irqchip", "machine.memory", "machine.profile", "machine.start", "machine.tscKHz", "machine.vcpus",
        "outcome.kind", "outcome.message",
        "outcome.status", "outcome.vcpu", "records[].errorCode", "records[].holds", "records[].kind",
        "records[].label", "records[].saw", "records[].time", "records[].tsc", "records[].value", "records[].vcpu",
        "records[].vector", "schema", "success", "times.end", "times.firstInstruction", "times.start",
        "unclaimed[].bus", "unclaimed[].count", "unclaimed[].first[]", "vcpuStatistics[].exits",
        "vcpuStatistics[].halt_exits", "vcpuStatistics[].l1d_flush", "vcpus[].localAPIC.currentCount",
        "vcpus[].localAPIC.id", "vcpus[].localAPIC.inService[]", "vcpus[].localAPIC.initialCount",
        "vcpus[].localAPIC.interruptRequest[]", "vcpus[].localAPIC.isSoftwareEnabled",
        "vcpus[].localAPIC.localVectorTable.error", "vcpus[].localAPIC.localVectorTable.timer",
        "vcpus[].localAPIC.mode", "vcpus[].localAPIC.processorPriority", "vcpus[].localAPIC.taskPriority",
        "vcpus[].registers.cs", "vcpus[].registers.rax", "vcpus[].registers.rip", "vcpus[].state", "vcpus[].vcpu",
        "vmStatistics.pages_4k",
      ])
  }

  @Test func `a document is read back as it was written`() throws {
    let text = try JSONDocument.text(RunReport.madeUp())
    let report = try JSONDecoder().decode(RunReport.self, from: Data(text.utf8))
    #expect(report.schema == "lapwing.run/1")
    #expect(report.interrupts.map(\.vector) == [0x30, 0x30, 0xf1])
    #expect(try JSONDocument.text(report) == text)
  }

  @Test func `what is not there has no key`() throws {
    var report = try RunReport.madeUp()
    report.times.firstInstruction = nil
    report.machine.cpu = nil
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(JSONDocument.text(report).utf8)) as? [String: Any])
    let times = try #require(document["times"] as? [String: Any])
    #expect(times.keys.sorted() == ["end", "start"])
    let machine = try #require(document["machine"] as? [String: Any])
    #expect(machine["profile"] as? String == "standard" && machine["cpu"] == nil)
    let records = try #require(document["records"] as? [[String: Any]])
    #expect(records[0].keys.sorted() == ["kind", "label", "time", "tsc", "vcpu"])
    #expect(records[1].keys.sorted() == ["kind", "time", "tsc", "value", "vcpu", "vector"])
  }

  @Test func `keys are sorted and slashes plain, so that documents compare as text`() throws {
    let text = try JSONDocument.text(GuestList(guests: [GuestList.Guest(name: "a/b", summary: "x")]))
    #expect(
      text == """
        {
          "guests" : [
            {
              "name" : "a/b",
              "summary" : "x"
            }
          ],
          "schema" : "lapwing.guests/1"
        }
        """)
  }
}
