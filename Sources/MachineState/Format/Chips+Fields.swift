import APIC
import JSON
import KVM
import VMM

extension PICState {
  static var fields: [Field<PICState>] {
    [
      .hex("lastIRR", \.lastIRR), .hex("irr", \.irr), .hex("imr", \.imr), .hex("isr", \.isr),
      .hex("priorityAdd", \.priorityAdd, upTo: 7), .hex("irqBase", \.irqBase),
      .hex("readRegisterSelect", \.readRegisterSelect, upTo: 1), .hex("poll", \.poll),
      .hex("specialMask", \.specialMask), .hex("initState", \.initState, upTo: 3), .hex("autoEOI", \.autoEOI),
      .hex("rotateOnAutoEOI", \.rotateOnAutoEOI), .hex("specialFullyNestedMode", \.specialFullyNestedMode),
      .hex("init4", \.init4), .hex("elcr", \.elcr), .hex("elcrMask", \.elcrMask),
    ]
  }
}

extension MachineState.PICPair {
  static var fields: [Field<MachineState.PICPair>] {
    [.object("master", \.master, PICState.fields), .object("slave", \.slave, PICState.fields)]
  }
}

extension IOAPICState {
  static var fields: [Field<IOAPICState>] {
    [
      .hex("baseAddress", \.baseAddress), .hex("registerSelect", \.registerSelect, upTo: 0xff), .hex("id", \.id),
      .hex("irr", \.irr, upTo: 1 << UInt32(IOAPIC.pinCount) - 1), .redirectionTable("entries", \.entries),
    ]
  }
}

extension SplitIOAPICState {
  static var fields: [Field<SplitIOAPICState>] {
    let pins: UInt32 = 1 << UInt32(IOAPIC.pinCount) - 1
    return [
      .hex("id", \.id, upTo: 0x0f00_0000), .hex("selected", \.selected), .hex("levels", \.levels, upTo: pins),
      pendingEdges, .redirectionTable("entries", \.entries),
    ]
  }

  /// Edges that came while their pin was masked. The chip has none of them, and loses what an earlier version kept;
  /// readers of 1.1 and before want the member.
  private static var pendingEdges: Field<SplitIOAPICState> {
    .remark("pendingEdges") { _ in JSONCoding<UInt32>.hex.encode(0) }
  }
}

extension Field {
  /// The 24 entries of an IOAPIC.
  fileprivate static func redirectionTable(
    _ name: String, _ path: WritableKeyPath<Root, [RedirectionEntry]>
  ) -> Field {
    Field(
      name, path,
      .list(
        of: JSONCoding.hex.map {
          RedirectionEntry(rawValue: $0)
        } back: {
          $0.rawValue
        }, count: IOAPIC.pinCount))
  }
}

extension PITState {
  static var fields: [Field<PITState>] {
    [
      .object("channel0", \.channel0, Channel.fields), .object("channel1", \.channel1, Channel.fields),
      .object("channel2", \.channel2, Channel.fields), .flag("isReplacedByHPET", \.isReplacedByHPET),
      .flag("speakerDataOn", \.speakerDataOn),
    ]
  }
}

extension PITState.Channel {
  fileprivate static var fields: [Field<PITState.Channel>] {
    [
      .hex("count", \.count, upTo: 0x10000), .hex("latchedCount", \.latchedCount),
      .hex("countLatched", \.countLatched, upTo: 4), .hex("statusLatched", \.statusLatched, upTo: 1),
      .hex("status", \.status), .hex("readState", \.readState, upTo: 4), .hex("writeState", \.writeState, upTo: 4),
      .hex("writeLatch", \.writeLatch), .hex("readWriteMode", \.readWriteMode, upTo: 3),
      .hex("mode", \.mode), .hex("bcd", \.bcd, upTo: 1), .hex("gate", \.gate, upTo: 1),
      .hex("countLoadTime", \.loadTime),
    ]
  }

  /// The time's bits; it is negative nowhere.
  private var loadTime: UInt64 {
    get { UInt64(bitPattern: countLoadTime) }
    set { countLoadTime = Int64(bitPattern: newValue) }
  }
}
