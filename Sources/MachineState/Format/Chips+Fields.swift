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

extension VCPUEvents {
  static var fields: [Field<VCPUEvents>] {
    [
      .object(
        "exception", \.exception,
        [
          .flag("injected", \.injected), .flag("pending", \.pending), .hex("number", \.number, upTo: 31),
          .optionalHex("errorCode", \.errorCode), .optionalHex("payload", \.payload),
        ]),
      .object(
        "interrupt", \.interrupt,
        [
          .flag("injected", \.injected), .hex("number", \.number), .flag("soft", \.soft),
          .hex("shadow", \.shadow, upTo: 3),
        ]),
      .object(
        "nmi", \.nmi,
        [.flag("injected", \.injected), .count("pending", \.pending, in: 0...2), .flag("masked", \.masked)]),
      Field("smi", \.smi, .optional(.object(SMI.fields, SMI()))),
      .optionalHex("sipiVector", \.sipiVector),
      Field("tripleFault", \.tripleFault, .optional(.flag)),
    ]
  }
}

extension VCPUEvents.SMI {
  fileprivate static var fields: [Field<VCPUEvents.SMI>] {
    [
      .flag("inSMM", \.inSMM), .flag("pending", \.pending), .flag("insideNMI", \.insideNMI),
      .flag("latchedINIT", \.latchedINIT),
    ]
  }
}

extension IRQFDState {
  /// Those that share an event have a number since 1.1. `isOwnedByVMM` was `isMachines` before 1.2.
  static var fields: [Field<IRQFDState>] {
    [
      .count("gsi", \.gsi, in: 0...4095), .hex("pending", \.pending, upTo: .max - 1),
      Field("resamplePending", \.resamplePending, .optional(.hex(upTo: .max - 1))),
      .flag("isOwnedByVMM", \.isOwnedByVMM).formerly("isMachines", beforeMinor: 2), .sharedEvent(\.event),
    ]
  }
}

extension IOEventState {
  static var fields: [Field<IOEventState>] {
    [
      Field("port", \.port, .optional(.hex)), Field("address", \.memoryAddress, .optional(.hex)),
      .count("length", \.length, in: 0...8), .optionalHex("match", \.match),
      .hex("pending", \.pending, upTo: .max - 1), .sharedEvent(\.event),
    ]
  }

  private var port: UInt16? {
    get { if case .port(let port) = address { port } else { nil } }
    set { if let newValue { address = .port(newValue) } }
  }

  private var memoryAddress: UInt64? {
    get { if case .mmio(let address) = address { address } else { nil } }
    set { if let newValue { address = .mmio(newValue) } }
  }
}

extension Field {
  fileprivate static func sharedEvent(_ path: WritableKeyPath<Root, UInt32?>) -> Field {
    Field("event", path, .optional(.count(in: 0...UInt32(MachineState.eventLimit)))).since(minor: 1)
  }
}
