/// A bzImage around 64-bit code; every field of its setup header that a loader looks at can be written wrong.
public struct KernelImage: Sendable {
  /// `boot_flag`.
  public var bootFlag: UInt16 = 0xaa55
  /// The jump over the header, whose displacement says where it ends.
  public var jump: [UInt8] = [0xeb, 0x6a]
  /// `version`.
  public var version: UInt16 = 0x020f
  /// `setup_sects`.
  public var setupSectors: UInt8 = 1
  /// `syssize`; nil for the right one.
  public var paragraphs: UInt32?
  /// `loadflags`.
  public var loadFlags: UInt8 = 1
  /// `initrd_addr_max`.
  public var lastInitrdAddress: UInt32 = 0x7fff_ffff
  /// `xloadflags`.
  public var extendedLoadFlags: UInt16 = 1
  /// `cmdline_size`.
  public var commandLineSize: UInt32 = 255
  /// `pref_address`.
  public var preferredAddress: UInt64 = 0x20_0000
  /// `init_size`.
  public var initialSize: UInt32 = 0x1_0000
  /// What is entered, 0x200 bytes behind the start of the loaded code.
  public var code: [UInt8]

  /// An image with that code.
  public init(code: [UInt8]) { self.code = code }

  /// The file.
  public var bytes: [UInt8] {
    let body = [UInt8](repeating: 0, count: 0x200) + code
    var setup = [UInt8](repeating: 0, count: (Int(setupSectors == 0 ? 4 : setupSectors) + 1) * 512)
    func put(_ bytes: [UInt8], at offset: Int) { setup.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
    put([setupSectors], at: 0x1f1)
    put(littleEndian(paragraphs ?? UInt32((body.count + 15) / 16)), at: 0x1f4)
    put(littleEndian(bootFlag), at: 0x1fe)
    put(jump, at: 0x200)
    put(Array("HdrS".utf8), at: 0x202)
    put(littleEndian(version), at: 0x206)
    put([loadFlags], at: 0x211)
    put(littleEndian(lastInitrdAddress), at: 0x22c)
    put(littleEndian(extendedLoadFlags), at: 0x236)
    put(littleEndian(commandLineSize), at: 0x238)
    put(littleEndian(preferredAddress), at: 0x258)
    put(littleEndian(initialSize), at: 0x260)
    return setup + body
  }
}

/// Kernels that print what they are given on COM1 and switch the machine off: the command line, how many parts the memory map
/// has, the signature of ACPI's root pointer, and the initial RAM disk.
public enum ReportingKernel {
  /// One that is entered by the 64-bit boot protocol, with the boot parameters' address in RSI.
  public static var bzImage: KernelImage {
    let commandLine: [UInt8] = [0x8b, 0xbe, 0x28, 0x02, 0, 0]  // mov edi, [rsi+0x228]
    let entries: [UInt8] = [0x8a, 0x86, 0xe8, 0x01, 0, 0]  // mov al, [rsi+0x1e8]
    let rsdp: [UInt8] = [0x48, 0x8b, 0x7e, 0x70]  // mov rdi, [rsi+0x70]
    // mov edi, [rsi+0x218]; mov ecx, [rsi+0x21c]
    let initrd: [UInt8] = [0x8b, 0xbe, 0x18, 0x02, 0, 0, 0x8b, 0x8e, 0x1c, 0x02, 0, 0]
    return KernelImage(code: code(commandLine, entries, rsdp, initrd))
  }

  /// One that is entered by the PVH protocol, with the start information's address in EBX.
  public static var pvh: ELFImage {
    let commandLine: [UInt8] = [0x8b, 0x7b, 24]  // mov edi, [ebx+24]
    let entries: [UInt8] = [0x8a, 0x43, 48]  // mov al, [ebx+48]
    let rsdp: [UInt8] = [0x8b, 0x7b, 32]  // mov edi, [ebx+32]
    // mov esi, [ebx+16]; mov edi, [esi]; mov ecx, [esi+8]
    let initrd: [UInt8] = [0x8b, 0x73, 16, 0x8b, 0x3e, 0x8b, 0x4e, 8]
    var image = ELFImage(code: code(commandLine, entries, rsdp, initrd), at: 0x20_0000)
    // What is entered without the note.
    image.entry = 0x20_0000
    image.segments.append(note(entry: 0x20_0000))
    return image
  }

  /// A note of a PVH entry, behind one of somebody else's.
  public static func note(entry: UInt32) -> ELFImage.Segment {
    let other = littleEndian(UInt32(4)) + littleEndian(UInt32(3)) + littleEndian(UInt32(18))
    let header = littleEndian(UInt32(4)) + littleEndian(UInt32(8)) + littleEndian(UInt32(18))
    var segment = ELFImage.Segment(
      at: 0,
      other + Array("GNU".utf8) + [0, 1, 2, 3, 0] + header + Array("Xen".utf8) + [0] + littleEndian(UInt64(entry)))
    segment.type = 4
    return segment
  }

  private static func code(_ commandLine: [UInt8], _ entries: [UInt8], _ rsdp: [UInt8], _ initrd: [UInt8]) -> [UInt8] {
    let port: [UInt8] = [0x66, 0xba, 0xf8, 0x03]  // mov dx, 0x3f8
    // mov al, [rdi]; test al, al; jz; out dx, al; inc edi; jmp
    let printText: [UInt8] = [0x8a, 0x07, 0x84, 0xc0, 0x74, 5, 0xee, 0xff, 0xc7, 0xeb, 0xf5]
    let printDigit: [UInt8] = [0x04, 0x30, 0xee]  // add al, '0'; out dx, al
    let seven: [UInt8] = [0xb9, 7, 0, 0, 0]  // mov ecx, 7
    // jrcxz; mov al, [rdi]; out dx, al; inc edi; dec ecx; jnz
    let printBytes: [UInt8] = [0xe3, 9, 0x8a, 0x07, 0xee, 0xff, 0xc7, 0xff, 0xc9, 0x75, 0xf7]
    // mov dx, 0x604; mov ax, 0x3400 (SLP_EN, type 5); out dx, ax; hlt; jmp
    let switchOff: [UInt8] = [0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x34, 0x66, 0xef, 0xf4, 0xeb, 0xfd]
    return commandLine + port + printText + entries + printDigit + rsdp + seven + printBytes + initrd + printBytes
      + switchOff
  }
}
