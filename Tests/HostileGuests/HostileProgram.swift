import TestImages

/// A 64-bit program of random accesses to all that a machine offers its guest: ports, addresses, the command port, host
/// requests, the log, the mailboxes, fw_cfg's descriptors, the local APIC.
///
/// It has no interrupt table, so its first exception or interrupt ends it by a triple fault. What raises one is left to some
/// programs, so that the others come to their ends.
struct HostileProgram {
  /// The machine code, for any address. RDI has the address of the boot page.
  private(set) var code: [UInt8] = [0x48, 0x89, 0xfb]  // mov rbx, rdi
  private var random: SeededGenerator
  private let raisesExceptions: Bool

  /// The program of a seed.
  ///
  /// - Parameters:
  ///   - seed: what it is made from.
  ///   - length: how many accesses.
  init(seed: UInt64, length: Int) {
    random = SeededGenerator(seed: seed)
    raisesExceptions = Int.random(in: 0..<4, using: &random) == 0
    for _ in 0..<length { addStep() }
    // mov al, value; out 0xf4, al; then again from the start, where the exit is not taken for one.
    code += [0xb0, UInt8(truncatingIfNeeded: random.next()), 0xe6, 0xf4]
    code += [0xe9] + littleEndian(UInt32(bitPattern: -Int32(code.count) - 5 + 3))
  }

  /// Where devices of either machine listen, and places where none does.
  private static let ports: [UInt16] = [
    0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, 0xb2, 0xe0, 0xe3, 0xe4,
    0xe8,
    0x2f8, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x4d0, 0x4d1, 0x510, 0x511, 0x514, 0x518, 0x600,
    0x604,
    0x608, 0xcf8, 0xcf9, 0xcfa, 0xcfc, 0xcfd, 0xcfe, 0xcff, 0x1234, 0x2000, 0x2014, 0x2017, 0x4c50, 0x8900, 0xc000,
    0xffff,
  ]
  private static let addresses: [UInt64] = [
    0xfec0_0000, 0xfec0_0010, 0xfec0_0040, 0xfee0_0000, 0xfee0_0020, 0xfee0_0080, 0xfee0_00b0, 0xfee0_00f0, 0xfee0_0300,
    0xfee0_0310, 0xfee0_0320, 0xfee0_0350, 0xfee0_0380, 0xfee0_0fff, 0xfed0_0000, 0xfed0_00f0, 0xfed0_0100, 0xff00_0000,
    0xff00_fffc, 0xfeb0_0000, 0xe000_0000, 0xc000_0000, 0xffff_fff8, 0x3ff_fffc, 0x400_0000, 0x9_fffc, 0xf_0000, 0x400,
    0xfea0_0000, 0xfea0_0014, 0xfea0_0020, 0xfea0_1000, 0xfea0_3000, 0xfea0_4000, 0xfea0_400c, 0xfea0_5000,
  ]
  private static let modelRegisters: [UInt32] = [
    0x10, 0x1b, 0x3b, 0x6e0, 0x174, 0x1a0, 0x277, 0x2ff, 0x800, 0x803, 0x808, 0x80b, 0x80f, 0x828, 0x830, 0x832, 0x838,
    0x83f, 0xc000_0080, 0x4b56_4d00, 0x4b56_4d01, 0x4b56_4d04,
  ]
  /// Offsets of addresses in the boot page: APIC ids, processor areas, requests, log, mailboxes.
  private static let structures: [UInt8] = [40, 48, 64, 72, 96]

  private mutating func addStep() {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<24: addPortWrite()
    case 24..<36: addPortRead()
    case 36..<44: addString()
    case 44..<58: addMemoryAccess()
    case 58..<70: addRequest()
    case 70..<84: addStructureWrite()
    case 84..<90: addFirmwareTransfer()
    case 90..<95: addInterprocessorInterrupt()
    case 95..<97 where raisesExceptions: addModelRegister()
    case 97..<98 where raisesExceptions: code += [0xfb, 0x90, 0xfa]  // sti; nop; cli
    case 98: code += [0x0f, 0xa2, 0x48, 0x89, 0xfb]  // cpuid; mov rbx, rdi
    default: code += [0xf3, 0x90]  // pause
    }
  }

  /// Values at the ends of ranges are met more often than chance would have it.
  private mutating func value() -> UInt32 {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: 0
    case 1: 0xffff_ffff
    case 2: UInt32.random(in: 0..<16, using: &random)
    case 3: 1 << UInt32.random(in: 0..<32, using: &random)
    case 4: 0x7fff_ffff
    default: UInt32.random(in: .min ... .max, using: &random)
    }
  }

  private mutating func port() -> UInt16 {
    Int.random(in: 0..<16, using: &random) == 0
      ? .random(in: .min ... .max, using: &random)
      : Self.ports.randomElement(using: &random).map { $0 &+ UInt16(truncatingIfNeeded: random.next() & 1) } ?? 0
  }

  private mutating func addPort() {
    code += [0x66, 0xba] + littleEndian(port())  // mov dx, port
  }

  private mutating func addPortWrite() {
    addPort()
    code += [0xb8] + littleEndian(value())  // mov eax, value
    code += [[0xee], [0x66, 0xef], [0xef]].randomElement(using: &random) ?? []  // out dx, al, ax or eax
  }

  private mutating func addPortRead() {
    addPort()
    code += [[0xec], [0x66, 0xed], [0xed]].randomElement(using: &random) ?? []  // in al, ax or eax, dx
  }

  /// INS or OUTS of some items, in memory of the guest's own.
  private mutating func addString() {
    addPort()
    let isOutput = Bool.random(using: &random)
    let place = 0x20_0000 + UInt32.random(in: 0..<0x1000, using: &random)
    code += [isOutput ? 0xbe : 0xbf] + littleEndian(place)  // mov esi or edi, place
    code += [0xb9] + littleEndian(UInt32.random(in: 0..<300, using: &random))  // mov ecx, count
    code += [Bool.random(using: &random) ? 0xfc : 0xfd, 0xf3]  // cld or std; rep
    code += [[isOutput ? 0x6e : 0x6c], [0x66, isOutput ? 0x6f : 0x6d]].randomElement(using: &random) ?? []
    code += [0xfc]
    if !isOutput { code += [0xbf] + littleEndian(UInt32(0)) + [0x48, 0x89, 0xdf] }  // mov rdi, rbx
  }

  private mutating func addMemoryAccess() {
    let address = (Self.addresses.randomElement(using: &random) ?? 0) &+ (random.next() & 0x10)
    code += [0xb9] + littleEndian(UInt32(truncatingIfNeeded: address))  // mov ecx, address
    code += [0x48, 0xb8] + littleEndian(UInt64(value()) << 32 | UInt64(value()))  // mov rax, value
    let accesses: [[UInt8]] = [
      [0x88, 0x01], [0x66, 0x89, 0x01], [0x89, 0x01], [0x48, 0x89, 0x01],  // mov [rcx], al, ax, eax or rax
      [0x8a, 0x01], [0x66, 0x8b, 0x01], [0x8b, 0x01], [0x48, 0x8b, 0x01],  // mov al, ax, eax or rax, [rcx]
    ]
    code += accesses.randomElement(using: &random) ?? []
  }

  /// A request to the host, with fields of all kinds, and the command that has it carried out.
  private mutating func addRequest() {
    code += [0x48, 0x8b, 0x4b, 64]  // mov rcx, [rbx + requests]
    for offset in stride(from: UInt8(0), to: 24, by: 4) {
      let field = offset == 0 ? UInt32.random(in: 0..<12, using: &random) : value()
      code += [0xc7, 0x41, offset] + littleEndian(field)  // mov dword [rcx + offset], field
    }
    addCommand(4)
  }

  private mutating func addCommand(_ command: UInt32) {
    code += [0x66, 0xba] + littleEndian(UInt16(0x4c50))  // mov dx, the command port
    code += [0xb8] + littleEndian(command | value() << 8) + [0xef]  // mov eax, command; out dx, eax
  }

  /// Something written over the structures that guest and host share.
  private mutating func addStructureWrite() {
    code += [0x48, 0x8b, 0x4b, Self.structures.randomElement(using: &random) ?? 72]  // mov rcx, [rbx + structure]
    let offset = UInt32.random(in: 0..<64, using: &random) * 4
    // A record's parts, so that some are taken for complete: its number, its kind, its label.
    let field = Bool.random(using: &random) ? UInt32.random(in: 0..<8, using: &random) : value()
    code += [0xc7, 0x81] + littleEndian(offset) + littleEndian(field)  // mov dword [rcx + offset], field
    if Int.random(in: 0..<4, using: &random) == 0 { addCommand(UInt32.random(in: 0..<8, using: &random)) }
  }

  /// A descriptor of fw_cfg's DMA, and its address, most significant byte first (QEMU, docs/specs/fw_cfg.rst).
  private mutating func addFirmwareTransfer() {
    let place: UInt32 = 0x21_0000
    code += [0xb9] + littleEndian(place)  // mov ecx, place
    for offset in stride(from: UInt8(0), to: 16, by: 4) {
      code += [0xc7, 0x41, offset] + littleEndian(value().byteSwapped)  // mov dword [rcx + offset], field
    }
    code += [0x66, 0xba] + littleEndian(UInt16(0x514)) + [0xb8] + littleEndian(value() & 1) + [0xef]
    code += [0x66, 0xba] + littleEndian(UInt16(0x518)) + [0xb8] + littleEndian(place.byteSwapped) + [0xef]
  }

  /// A write to the ICR in memory, which is an APIC page only in xAPIC mode.
  private mutating func addInterprocessorInterrupt() {
    // Not to itself, unless it may end by that: processor 0 has APIC id 0.
    let destination = UInt32.random(in: raisesExceptions ? 0..<5 : 1..<5, using: &random) << 24
    code += [0xb9] + littleEndian(UInt32(0xfee0_0300))  // mov ecx, the ICR
    code +=
      [0xc7, 0x41, 0x10] + littleEndian(destination) + [0xc7, 0x01]
      + littleEndian(value() & (raisesExceptions ? 0xc_cfff : 0xcfff))
  }

  private mutating func addModelRegister() {
    code += [0xb9] + littleEndian(Self.modelRegisters.randomElement(using: &random) ?? 0x10)  // mov ecx, register
    code += [0xb8] + littleEndian(value()) + [0xba] + littleEndian(value())  // mov eax, low; mov edx, high
    code += Bool.random(using: &random) ? [0x0f, 0x30] : [0x0f, 0x32]  // wrmsr or rdmsr
  }
}
