import APIC
import GuestContract
import Testing

@testable import VMM

/// A log that is written as a guest would write it, or as one would that means harm.
@Suite struct GuestLogTests {
  private let memory: GuestMemory
  private let layout: BootLayout
  private let log: GuestLog

  init() throws {
    memory = try GuestMemory(size: 1 << 20)
    layout = try #require(BootLayout(top: memory.lowSize, vcpus: 1, logCapacity: 8))
    log = GuestLog(memory: memory, layout: layout)
    try memory.write(Array("label".utf8), at: 0x1000)
    try memory.store(UInt32(LAPWING_BOOT_MAGIC), at: layout.bootPage)
  }

  private func claim(_ count: UInt64) throws { try memory.store(count, at: layout.log) }

  private func put(_ index: Int, _ kind: RecordKind, _ change: (inout LogRecord) -> Void = { _ in }) throws {
    var record = LogRecord()
    record.sequence = UInt32(index + 1)
    record.kind = kind
    record.vector = 0x30
    record.tsc = UInt64(index)
    record.value = 99
    record.label = 0x1000
    record.labelLength = 5
    change(&record)
    try memory.storeStructure(record, at: layout.log + 64 + UInt64(32 * index))
  }

  @Test func `a guest that has put something of its own there has written down nothing`() throws {
    try claim(0x0101_0101_0101_0101)
    try put(0, .mark)
    #expect(log.droppedRecords > 0)
    try memory.write([UInt8](repeating: 1, count: 4096), at: layout.bootPage)
    #expect(log.droppedRecords == 0)
    #expect(log.next().isEmpty)
    #expect(log.interrupts(since: 0, before: .max).isEmpty)
  }

  @Test func `each kind of record is read as what it is`() throws {
    for (index, kind) in [RecordKind.interrupt, .exception, .mark, .check, .value].enumerated() {
      try put(index, kind) { $0.vcpu = 7 }
    }
    try put(5, .check) { $0.vector = 0 }
    try put(6, try #require(RecordKind(rawValue: 0xee)))
    try claim(7)
    let records = log.next()
    #expect(
      records.map(\.event) == [
        .interrupt(0x30, instruction: 99), .exception(0x30, errorCode: 0x1000, instruction: 99), .mark("label"),
        .check("label", holds: true, saw: 99), .value("label", 99), .check("label", holds: false, saw: 99),
        .unknown(kind: 0xee),
      ])
    #expect(records[0].vcpu == 7)
    #expect(records.map(\.tsc) == Array(0...6))
    #expect(log.next().isEmpty)
  }

  @Test func `a log that goes on after another leaves out what that one has given`() throws {
    try put(0, .mark)
    try claim(1)
    #expect(log.next().map(\.tsc) == [0])
    let other = GuestLog(memory: memory, layout: layout)
    other.goOn(after: log)
    try put(1, .mark)
    try claim(2)
    #expect(other.next().map(\.tsc) == [1])
  }

  @Test func `a record that is claimed and not complete ends the list until it is`() throws {
    try claim(3)
    try put(0, .mark)
    try put(1, .mark) { $0.sequence = 0 }
    try put(2, .mark)
    #expect(log.next().map(\.tsc) == [0])
    #expect(log.next().isEmpty)
    try put(1, .mark)
    #expect(log.next().map(\.tsc) == [1, 2])
  }

  @Test func `more claims than the log holds are dropped records, not memory read beyond it`() throws {
    for index in 0..<10 { try put(index, .mark) }
    try claim(.max)
    #expect(log.next().count == 8)
    #expect(log.droppedRecords == UInt64.max - 8)
  }

  @Test func `nothing is read that nobody claimed`() throws {
    try put(0, .mark)
    #expect(log.next().isEmpty)
    #expect(log.droppedRecords == 0)
  }

  @Test func `a label outside of memory is said to be`() throws {
    let addresses: [UInt32] = [.max, 1 << 20, (1 << 20) - 4]
    for (index, address) in addresses.enumerated() {
      try put(index, .mark) { $0.label = address }
    }
    try claim(3)
    let expected = [GuestRecord.Event](repeating: .mark("(label outside of memory)"), count: 3)
    #expect(log.next().map(\.event) == expected)
  }

  @Test func `a label is cut at 120 bytes and may be any bytes`() throws {
    try memory.write([0xff, 0x41], at: 0x2000)
    try put(0, .mark) {
      $0.label = 0x3000
      $0.labelLength = .max
    }
    try put(1, .mark) {
      $0.label = 0x2000
      $0.labelLength = 2
    }
    try put(2, .mark) { $0.labelLength = 0 }
    try claim(3)
    let records = log.next()
    #expect(records[0].event == .mark(String(repeating: "\0", count: 120)))
    #expect(records[1].event == .mark("\u{fffd}A"))
    #expect(records[2].event == .mark(""))
  }

  @Test func `the interrupts of a stretch of time are found in their order, whatever order they were claimed in`()
    throws
  {
    for (index, tsc) in [50, 30, 20, 10].enumerated() { try put(index, .interrupt) { $0.tsc = UInt64(tsc) } }
    try put(4, .mark) { $0.tsc = 15 }
    try claim(5)
    #expect(log.interrupts(since: 11, before: 100).map(\.tsc) == [20, 30, 50])
    #expect(log.interrupts(since: 31, before: 50).isEmpty)
    #expect(log.next().count == 5)
  }
}
