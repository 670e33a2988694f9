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

extension Registers {
  static var fields: [Field<Registers>] {
    [
      .hex("rax", \.rax), .hex("rbx", \.rbx), .hex("rcx", \.rcx), .hex("rdx", \.rdx), .hex("rsi", \.rsi),
      .hex("rdi", \.rdi), .hex("rsp", \.rsp), .hex("rbp", \.rbp), .hex("r8", \.r8), .hex("r9", \.r9),
      .hex("r10", \.r10), .hex("r11", \.r11), .hex("r12", \.r12), .hex("r13", \.r13), .hex("r14", \.r14),
      .hex("r15", \.r15), .hex("rip", \.rip), .hex("rflags", \.rflags),
    ]
  }
}

extension SpecialRegisters {
  static var fields: [Field<SpecialRegisters>] {
    let segment = Segment.fields
    let table = DescriptorTable.fields
    return [
      .object("cs", \.cs, segment), .object("ds", \.ds, segment), .object("es", \.es, segment),
      .object("fs", \.fs, segment), .object("gs", \.gs, segment), .object("ss", \.ss, segment),
      .object("tr", \.tr, segment), .object("ldt", \.ldt, segment),
      .object("gdt", \.gdt, table), .object("idt", \.idt, table),
      .hex("cr0", \.cr0), .hex("cr2", \.cr2), .hex("cr3", \.cr3), .hex("cr4", \.cr4), .hex("cr8", \.cr8, upTo: 0xf),
      .hex("efer", \.efer), .hex("apicBase", \.apicBase.rawValue),
      Field("injectedInterrupt", \.injectedInterrupt, .vectors),
      Field("pageDirectoryPointers", \.pageDirectoryPointers, .optional(.list(of: .hex, count: 4))),
    ]
  }
}

extension Segment {
  fileprivate static var fields: [Field<Segment>] {
    [.hex("selector", \.selector), .hex("base", \.base), .hex("limit", \.limit), .hex("attributes", \.accessRights)]
  }
}

extension DescriptorTable {
  fileprivate static var fields: [Field<DescriptorTable>] { [.hex("base", \.base), .hex("limit", \.limit)] }
}

extension DebugRegisters {
  static var fields: [Field<DebugRegisters>] {
    [
      .hex("dr0", \.dr0), .hex("dr1", \.dr1), .hex("dr2", \.dr2), .hex("dr3", \.dr3),
      .hex("dr6", \.dr6, upTo: 0xffff_ffff), .hex("dr7", \.dr7, upTo: 0xffff_ffff),
    ]
  }
}

extension JSONCoding where Value == VectorSet {
  fileprivate static var vectors: JSONCoding {
    JSONCoding<[UInt8]>.list(of: .hex, atMost: 256).map { numbers in
      var set = VectorSet()
      for number in numbers { set.insert(Vector(rawValue: number)) }
      return set
    } back: {
      $0.map(\.rawValue)
    }
  }
}
