import APIC
import JSON
import KVM

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
