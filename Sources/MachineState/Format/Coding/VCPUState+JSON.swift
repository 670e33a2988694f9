import APIC
import KVM

extension VCPUState {
  /// Far above any processor's: AMX makes it 11 KiB.
  private static let xsaveLimit = 1 << 20
  private static let nestedLimit = 1 << 20

  /// - Parameter table: the machine's CPUID entries, which the vCPUs share; it grows by those that are new.
  func json(_ table: inout CPUIDTable) -> JSONValue {
    let significant = xsave.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    return .object([
      "id": .hex(id), "mpState": .string("\(mpState)"), "tscKHz": .number(Int64(tscKHz)),
      "tscOffset": tscOffset.map { .hex($0) },
      "settings": VCPUSettings.fields.encode(settings),
      "registers": Registers.fields.encode(registers),
      "specialRegisters": SpecialRegisters.fields.encode(specialRegisters),
      "debugRegisters": DebugRegisters.fields.encode(debugRegisters),
      "events": VCPUEvents.fields.encode(events),
      "localAPIC": .bytes(localAPIC.bytes),
      "msrs": .object(msrs.map { JSONValue.Member(name: "0x" + String($0.index, radix: 16), value: .hex($0.value)) }),
      "xcrs": .array(extendedControlRegisters.map { .array([.number(Int64($0.number)), .hex($0.value)]) }),
      // Most of it is zero: what comes after the last byte that is not is left away.
      "xsave": .object(["size": .number(Int64(xsave.count)), "data": .bytes(Array(xsave[..<significant]))]),
      "nestedState": nestedState.map { .bytes($0) },
      "cpuid": .array(cpuid.map { .number(Int64(table.index(of: $0))) }),
    ])
  }

  init(json: JSONValue, _ notes: DecodingNotes, _ table: [CPUIDEntry]) throws(MalformedState) {
    self.init()
    var reader = try ObjectReader(json, notes)
    id = try reader.required("id") { json, _ throws(MalformedState) in try json.hex(UInt32.self) }
    mpState = try reader.required("mpState") { json, _ throws(MalformedState) in try MPState(json: json) }
    tscKHz = try reader.required("tscKHz") { json, _ throws(MalformedState) in try json.integer(in: 0...UInt32.max) }
    tscOffset = try reader.optional("tscOffset") { json, _ throws(MalformedState) in try json.hex(UInt64.self) }
    try read(VCPUSettings.fields, "settings", &reader, into: &settings)
    try read(Registers.fields, "registers", &reader, into: &registers)
    try read(SpecialRegisters.fields, "specialRegisters", &reader, into: &specialRegisters)
    try read(DebugRegisters.fields, "debugRegisters", &reader, into: &debugRegisters)
    try read(VCPUEvents.fields, "events", &reader, into: &events)
    localAPIC = try reader.required("localAPIC") { json, _ throws(MalformedState) in
      try LocalAPICState(page: try json.bytes(atMost: 1 << 16))
    }
    msrs = try reader.required("msrs") { json, _ throws(MalformedState) in try [MSREntry](json: json) }
    extendedControlRegisters = try reader.list("xcrs", atMost: 16) { json, _ throws(MalformedState) in
      guard case .array(let pair) = json, pair.count == 2 else {
        throw MalformedState("a pair of a number and a value expected")
      }
      return ExtendedControlRegister(
        number: try pair[0].integer(in: 0...UInt32.max), value: try pair[1].hex(UInt64.self))
    }
    xsave = try reader.required("xsave") { json, notes throws(MalformedState) in try Self.xsave(json, notes) }
    nestedState = try reader.optional("nestedState") { json, _ throws(MalformedState) in
      try json.bytes(atMost: Self.nestedLimit)
    }
    // KVM_MAX_CPUID_ENTRIES.
    cpuid = try reader.list("cpuid", atMost: 256) { json, _ throws(MalformedState) in
      guard case .number(let number) = json, table.indices.contains(Int(number)) else {
        throw MalformedState("the index of one of the \(table.count) entries of \"cpuid\" expected")
      }
      return table[Int(number)]
    }
    reader.finish()
  }

  private func read<Value>(
    _ fields: [Field<Value>], _ name: String, _ reader: inout ObjectReader, into value: inout Value
  ) throws(MalformedState) {
    var copy = value
    try reader.required(name) { json, notes throws(MalformedState) in try fields.decode(json, into: &copy, notes) }
    value = copy
  }

  private static func xsave(_ json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) -> [UInt8] {
    var reader = try ObjectReader(json, notes)
    let size: Int = try reader.required("size") { json, _ throws(MalformedState) in
      try json.integer(in: 4096...xsaveLimit)
    }
    var area = try reader.required("data") { json, _ throws(MalformedState) in try json.bytes(atMost: size) }
    reader.finish()
    area += [UInt8](repeating: 0, count: size - area.count)
    return area
  }
}

extension MPState {
  fileprivate init(json: JSONValue) throws(MalformedState) {
    let name = try json.text(atMost: 40)
    guard let state = Self.allCases.first(where: { "\($0)" == name }) else {
      throw MalformedState(
        "one of \(Self.allCases.map { "\"\($0)\"" }.joined(separator: ", ")) expected, not \"\(name)\"")
    }
    self = state
  }
}

extension [MSREntry] {
  /// More than any kernel's list.
  private static let limit = 4096

  fileprivate init(json: JSONValue) throws(MalformedState) {
    guard case .object(let members) = json else { throw MalformedState("an object expected, not \(json.kind)") }
    guard members.count <= Self.limit else { throw MalformedState("at most \(Self.limit) registers expected") }
    self = []
    reserveCapacity(members.count)
    for item in members {
      guard let index = Hexadecimal.integer(item.name).flatMap({ UInt32(exactly: $0) }) else {
        throw MalformedState("a register's name is its number, such as \"0x1b\"", at: item.name)
      }
      let value = try member(item.name) { () throws(MalformedState) in try item.value.hex(UInt64.self) }
      append(MSREntry(index: index, value: value))
    }
  }
}
