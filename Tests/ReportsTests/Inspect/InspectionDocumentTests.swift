import APIC
import Foundation
import KVM
import MachineState
import Reports
import TestStates
import Testing

/// The JSON documents of the inspector.
@Suite struct InspectionDocumentTests {
  private func isTheSameAfterReading<Report: Codable & Equatable>(_ report: Report) throws -> Bool {
    try JSONDecoder().decode(Report.self, from: Data(JSONDocument.text(report).utf8)) == report
  }

  @Test func `an inspection that is read back is the same`() throws {
    #expect(try isTheSameAfterReading(Inspection(MadeUpMachine.busy())))
    #expect(try isTheSameAfterReading(Inspection(page: MadeUpMachine.busy().vcpus[0].localAPIC)))
    #expect(try isTheSameAfterReading(RegisterSelection(Inspection(MadeUpMachine.busy()).registers(named: "TPR"))))
    #expect(try isTheSameAfterReading(DifferenceReport(MadeUpMachine.state(), MadeUpMachine.busy())))
  }

  @Test func `the documents say what they are`() throws {
    let inspection = try JSONDocument.text(Inspection(MadeUpMachine.busy()))
    #expect(
      try JSONDocument.read(Inspection.self, schema: "lapwing.inspection/1", from: Array(inspection.utf8)).kind
        == .machine)
    #expect(DifferenceReport(MadeUpMachine.state(), MadeUpMachine.state()).schema == "lapwing.difference/1")
    #expect(RegisterSelection([]).schema == "lapwing.registers/1")
  }

  @Test func `a machine of 64 vCPUs has each of them`() throws {
    let inspection = Inspection(MadeUpMachine.state(vcpus: 64))
    #expect(inspection.vcpus.compactMap(\.id) == Array(0..<64))
    #expect(try isTheSameAfterReading(inspection))
  }

  @Test func `any page can be shown`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      var page = LocalAPICState()
      for index in page.registers.indices { page.registers[index] = generator.next() }
      #expect(!Inspection(page: page).text().isEmpty)
    }
    var page = LocalAPICState()
    for index in page.registers.indices { page.registers[index] = .max }
    let all = Inspection(page: page)
    #expect(all.vcpus[0].interruptRequest?.count == 256)
    #expect(all.vcpus[0].delivery.next == nil)
  }

  @Test func `any chip can be shown`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<100 {
      var state = MadeUpMachine.state(mode: .xAPIC)
      for pin in 0..<24 { state.ioapic?.entries[pin] = RedirectionEntry(rawValue: generator.next()) }
      state.ioapic?.irr = generator.next()
      func byte() -> UInt8 { generator.next() }
      for chip in [\MachineState.PICPair.master, \.slave] {
        state.pics?[keyPath: chip].irr = byte()
        state.pics?[keyPath: chip].imr = byte()
        state.pics?[keyPath: chip].isr = byte()
        state.pics?[keyPath: chip].priorityAdd = byte()
        state.pics?[keyPath: chip].irqBase = byte()
        state.pics?[keyPath: chip].initState = byte()
        state.pics?[keyPath: chip].poll = byte()
      }
      state.pit?.channel0.mode = byte()
      state.pit?.channel0.count = generator.next()
      state.vcpus[0].events.interrupt.shadow = byte()
      state.vcpus[0].events.nmi.pending = byte()
      #expect(!Inspection(state).text().isEmpty)
    }
  }

  @Test func `a damaged document is refused, or shown and compared`() throws {
    let original = MadeUpMachine.busy()
    let text = StateDocument(original).text
    // The same damage every time: a linear congruential generator (Knuth, MMIX).
    var seed: UInt64 = 1
    func random(below limit: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % limit
    }
    var shown = 0
    for _ in 0..<80 {
      var damaged = text
      for _ in 0...random(below: 3) {
        damaged[random(below: damaged.count)] = Array("0123456789abcdef".utf8)[random(below: 16)]
      }
      guard let state = try? StateDocument(text: damaged).state else { continue }
      shown += 1
      #expect(!Inspection(state).text().isEmpty)
      #expect(!DifferenceReport(original, state).text().isEmpty)
    }
    // Most of a document is numbers, which stay numbers.
    #expect(shown > 5)
  }
}
