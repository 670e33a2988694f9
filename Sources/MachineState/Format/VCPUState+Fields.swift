import APIC
import JSON
import KVM

extension VCPUState {
  private static let nestedLimit = 1 << 20

  /// The members of a vCPU in their order: see `MachineState.fields`.
  ///
  /// - Parameter table: the machine's CPUID entries.
  static func fields(_ table: SharedCPUIDEntries) -> [Field<VCPUState>] {
    [
      .hex("id", \.id), Field("mpState", \.mpState, .mpState),
      .count("tscKHz", \.tscKHz, in: 1...VCPUState.highestTSCKHz), Field(ifAny: "tscOffset", \.tscOffset, .hex),
      .object("settings", \.settings, VCPUSettings.fields), .object("registers", \.registers, Registers.fields),
      .object("specialRegisters", \.specialRegisters, SpecialRegisters.fields),
      .object("debugRegisters", \.debugRegisters, DebugRegisters.fields),
      .object("events", \.events, VCPUEvents.fields),
      Field("localAPIC", \.localAPIC, page),
      Field("msrs", \.msrs, .msrs), Field("xcrs", \.extendedControlRegisters, .list(of: .xcr, atMost: 16)),
      Field("xsave", \.xsave, xsaveArea), Field(ifAny: "nestedState", \.nestedState, .bytes(atMost: nestedLimit)),
      // KVM_MAX_CPUID_ENTRIES.
      Field("cpuid", \.cpuid, .list(of: table.index, atMost: 256)),
    ]
  }

  private static var page: JSONCoding<LocalAPICState> {
    JSONCoding.bytes(atMost: 1 << 16).map { (page) throws(JSONError) in
      try LocalAPICState(page: page)
    } back: {
      $0.bytes
    }
  }

  /// Most of the area is zero: what comes after the last byte that is not is left away.
  private static var xsaveArea: JSONCoding<[UInt8]> {
    struct Area {
      var size = 0
      var data: [UInt8] = []
    }
    let fields: [Field<Area>] = [
      .count("size", \.size, in: XSAVEArea.leastSize...XSAVEArea.mostSize),
      Field("data", \.data, .bytes(atMost: XSAVEArea.mostSize)),
    ]
    return JSONCoding.object(fields, Area()).map { area throws(JSONError) in
      guard area.data.count <= area.size else {
        throw JSONError("at most \(area.size) bytes expected, not \(area.data.count)", at: "data")
      }
      return area.data + [UInt8](repeating: 0, count: area.size - area.data.count)
    } back: { bytes in
      Area(size: bytes.count, data: Array(bytes[..<(bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]))
    }
  }
}

extension JSONCoding where Value == MPState {
  fileprivate static var mpState: JSONCoding {
    .choice([
      "runnable": .runnable, "uninitialized": .uninitialized, "initReceived": .initReceived, "halted": .halted,
      "sipiReceived": .sipiReceived, "apResetHold": .apResetHold,
    ])
  }
}

extension JSONCoding where Value == [MSREntry] {
  /// Registers by their numbers, at most more than any kernel lists.
  fileprivate static var msrs: JSONCoding {
    let index = JSONCoding<UInt32>(
      encode: { .hex($0) },
      decode: { (json, context) throws(JSONError) in
        guard let index = try? JSONCoding<UInt32>.hex.decode(json, context) else {
          throw JSONError("a register's name is its number, such as \"0x1b\"")
        }
        return index
      })
    return JSONCoding<[(UInt32, UInt64)]>.dictionary(index, .hex, atMost: 4096)
      .map {
        $0.map { MSREntry(index: $0, value: $1) }
      } back: {
        $0.map { ($0.index, $0.value) }
      }
  }
}

extension JSONCoding where Value == ExtendedControlRegister {
  /// A pair of its number and its value.
  fileprivate static var xcr: JSONCoding {
    let number = JSONCoding<UInt32>.count(in: 0...UInt32.max)
    return JSONCoding(
      encode: { .array([number.encode($0.number), .hex($0.value)]) },
      decode: { (json, context) throws(JSONError) in
        guard case .array(let pair) = json, pair.count == 2 else {
          throw JSONError("a pair of a number and a value expected")
        }
        return ExtendedControlRegister(
          number: try number.decode(pair[0], context), value: try JSONCoding<UInt64>.hex.decode(pair[1], context))
      })
  }
}
