import Support

/// What a tracepoint's `format` file says (kernel, Documentation/trace/events.rst, section 4; `f_show`): its number and
/// where its fields are. They differ from kernel to kernel, so no offset is written down here.
struct EventFormat: Hashable, Sendable {
  /// The tracepoint's name.
  let name: String
  /// Its number in the ring buffer, until the next boot.
  let id: UInt16
  /// Its fields by name, the common ones included. Fields of other sizes than a number has are left out.
  let fields: [String: EventField]
  /// How the kernel prints one, which has the names of values.
  let printFormat: String

  /// A field that is further from the beginning is in no event: more than the largest page.
  static let sizeLimit = 1 << 16

  /// The format in such a file's bytes; nil where they are not of one.
  init?(parsing bytes: RawSpan) {
    let text = String(formatText: bytes)
    var name: Substring?
    var id: UInt16?
    var fields: [String: EventField] = [:]
    var printFormat = Substring()
    for line in text.asciiLines {
      if let value = line.value(behind: "name: ") {
        name = value
      } else if let value = line.value(behind: "ID: ") {
        id = UInt16(value)
      } else if let value = line.value(behind: "print fmt: ") {
        printFormat = value
      } else if let (field, place) = EventField.named(in: line) {
        fields[field] = place
      }
    }
    guard let name, !name.isEmpty, let id, !fields.isEmpty else { return nil }
    self.name = String(name)
    self.id = id
    self.fields = fields
    self.printFormat = String(printFormat)
  }
}

extension EventField {
  /// The field that a line of a format tells of: `field:unsigned char vec;	offset:16;	size:1;	signed:0;`. nil for any other
  /// line, and for a field that is no number.
  static func named(in line: Substring) -> (String, EventField)? {
    // By bytes: a format is read again for every trace instance, and characters take their time.
    let parts = line.utf8.split(separator: UInt8(ascii: ";")).map { part in
      Substring(part.drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") })
    }
    guard let declaration = parts.first?.value(behind: "field:"),
      let name = declaration.utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "*") }).last,
      let offset = parts.firstValue(behind: "offset:").flatMap({ Int($0) }),
      let size = parts.firstValue(behind: "size:").flatMap({ Int($0) }), [1, 2, 4, 8].contains(size),
      (0...EventFormat.sizeLimit).contains(offset)
    else { return nil }
    let isSigned = parts.firstValue(behind: "signed:") == "1"
    return (String(Substring(name)), EventField(offset: offset, size: size, isSigned: isSigned))
  }
}

extension [Substring] {
  fileprivate func firstValue(behind key: String) -> Substring? {
    for part in self { if let value = part.value(behind: key) { return value } }
    return nil
  }
}

extension Substring {
  /// What comes behind a beginning; nil where the text begins otherwise.
  fileprivate func value(behind key: String) -> Substring? {
    utf8.starts(with: key.utf8) ? Substring(utf8.dropFirst(key.utf8.count)) : nil
  }
}

extension String {
  /// The text of a format file; what is no UTF-8 is replaced.
  init(formatText bytes: RawSpan) {
    // Sound: the bytes are not kept.
    self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Its lines, without those that are empty.
  var asciiLines: [Substring] { utf8.split(separator: UInt8(ascii: "\n")).map { Substring($0) } }
}

/// Where a number is in an event or in the head of a page, as a `format` file says it (kernel, `trace_event_call`'s fields).
struct EventField: Hashable, Sendable {
  /// How many bytes come before it.
  var offset: Int
  /// How many bytes it has: 1, 2, 4 or 8, which is all that `load` knows; 0 for a field that is not there, which reads as 0.
  var size: Int
  /// Whether it is signed.
  var isSigned: Bool

  /// A field that this kernel's format does not have.
  static let absent = EventField(offset: 0, size: 0, isSigned: false)

  /// How many bytes there must be for it.
  var end: Int { offset + size }

  /// The number, extended to 64 bits by its sign; 0 where it would be outside of the bytes.
  ///
  /// - Parameters:
  ///   - bytes: a page.
  ///   - base: where in it what has the field begins; from 0.
  @inline(__always)
  func load(_ bytes: RawSpan, at base: Int) -> UInt64 {
    let place = base &+ offset
    // The offset is that of a format, at most `EventFormat.sizeLimit`, and the base is in the page.
    guard place >= 0, place &+ size <= bytes.byteCount else { return 0 }
    switch (size, isSigned) {
    case (4, false): return UInt64(bytes.word(UInt32.self, at: place))
    case (4, true): return UInt64(bitPattern: Int64(bytes.word(Int32.self, at: place)))
    case (1, false): return UInt64(bytes.word(UInt8.self, at: place))
    case (8, _): return bytes.word(UInt64.self, at: place)
    case (2, false): return UInt64(bytes.word(UInt16.self, at: place))
    case (2, true): return UInt64(bitPattern: Int64(bytes.word(Int16.self, at: place)))
    case (1, true): return UInt64(bitPattern: Int64(bytes.word(Int8.self, at: place)))
    default: return 0
    }
  }
}

extension RawSpan {
  /// An integer as x86 has it. Whoever calls has compared the place with `byteCount`; the span does again.
  @inline(__always)
  func word<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at place: Int) -> Value {
    // Sound: any bytes are such an integer, and the span checks that they are its own.
    unsafe unsafeLoadUnaligned(fromByteOffset: place, as: type)
  }
}

/// The tracepoints that are recorded (kernel, arch/x86/kvm/trace.h and include/trace/events/kvm.h).
enum Tracepoint: String, CaseIterable, Sendable {
  case setIRQ = "kvm_set_irq"
  case msi = "kvm_msi_set_irq"
  case ioapic = "kvm_ioapic_set_irq"
  case ipi = "kvm_apic_ipi"
  case accept = "kvm_apic_accept_irq"
  case acceptByHardware = "kvm_apicv_accept_irq"
  case inhibit = "kvm_apicv_inhibit_changed"
  case inject = "kvm_inj_virq"
  case eoi = "kvm_eoi"
  case paravirtualEOI = "kvm_pv_eoi"
  case acknowledge = "kvm_ack_irq"
  case wakeUp = "kvm_vcpu_wakeup"
  case entry = "kvm_entry"
  case exit = "kvm_exit"
  case modelSpecificRegister = "kvm_msr"

  /// Entries into the guest and exits from it. They are recorded only where somebody asks for them: they would be most of
  /// what is recorded.
  static let residency: [Tracepoint] = [.entry, .exit]
  /// Accesses to model-specific registers, which are recorded where somebody asks for them likewise.
  static let registers: [Tracepoint] = [.modelSpecificRegister]
  /// All others, which are recorded always where the kernel has them.
  static let always = allCases.filter { !(residency + registers).contains($0) }

  /// The fields that are read of it, in this order, each by the names that kernels have given it. One that may be missing
  /// reads as 0.
  var fields: [(names: [String], isOptional: Bool)] {
    func needed(_ names: String...) -> (names: [String], isOptional: Bool) { (names, false) }
    func optional(_ names: String...) -> (names: [String], isOptional: Bool) { (names, true) }
    return switch self {
    case .setIRQ: [needed("gsi"), needed("level")]
    case .msi: [needed("data")]
    case .ioapic: [needed("e"), needed("pin"), optional("coalesced")]
    case .ipi: [needed("icr_low")]
    case .accept, .acceptByHardware: [needed("apicid"), needed("vec"), needed("dm")]
    case .inhibit: [needed("reason"), needed("set"), needed("inhibits")]
    // Before Linux 6.0 the vector was called irq, and what was injected anew was not marked.
    case .inject: [needed("vector", "irq"), optional("soft"), optional("reinjected")]
    case .eoi, .paravirtualEOI: [needed("apicid"), needed("vector")]
    case .acknowledge: [needed("irqchip"), needed("pin")]
    case .wakeUp: [needed("ns"), needed("waited")]
    case .entry: [needed("vcpu_id")]
    case .exit: [needed("exit_reason"), needed("isa"), optional("intr_info")]
    case .modelSpecificRegister: [needed("ecx"), needed("write")]
    }
  }
}

/// Where in an event what is read of it is.
struct EventLayout: Hashable, Sendable {
  let tracepoint: Tracepoint
  private(set) var first = EventField.absent
  private(set) var second = EventField.absent
  private(set) var third = EventField.absent
  /// How many bytes an event must have.
  let size: Int

  /// A format lacks a field.
  struct Missing: Error, Hashable, CustomStringConvertible {
    let tracepoint: Tracepoint
    let field: String

    var description: String { "\(tracepoint.rawValue) with a field '\(field)'" }
  }

  /// The layout of a tracepoint's events.
  ///
  /// - Parameters:
  ///   - tracepoint: the tracepoint.
  ///   - format: what the kernel says of it.
  /// - Throws: `Missing` where it has no such field.
  init(_ tracepoint: Tracepoint, _ format: EventFormat) throws(Missing) {
    self.tracepoint = tracepoint
    var places: [EventField] = []
    for field in tracepoint.fields {
      if let name = field.names.first(where: { format.fields[$0] != nil }), let place = format.fields[name] {
        places.append(place)
      } else if field.isOptional {
        places.append(.absent)
      } else {
        throw Missing(tracepoint: tracepoint, field: field.names[0])
      }
    }
    size = places.map(\.end).max() ?? 0
    if places.count > 0 { first = places[0] }
    if places.count > 1 { second = places[1] }
    if places.count > 2 { third = places[2] }
  }
}
