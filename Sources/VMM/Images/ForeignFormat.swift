/// What a file is that cannot be booted as it stands, by its first bytes, and what can be done about it.
public enum ForeignFormat: String, Hashable, Sendable, CaseIterable {
  case gzip
  case xz
  case zstd
  case arm64
  case riscv
  case efi
  case qcow2
  case iso
  case disk

  /// What the bytes look like; nil where they look like nothing of these.
  init?(_ image: ImageBytes) {
    guard let format = Self.allCases.first(where: { $0.matches(image) }) else { return nil }
    self = format
  }

  private func matches(_ image: ImageBytes) -> Bool {
    switch self {
    // RFC 1952, section 2.3.1.
    case .gzip: image.load(UInt16.self, at: 0) == 0x8b1f
    case .xz: image.load(UInt32.self, at: 0) == 0x587a_37fd && image.load(UInt16.self, at: 4) == 0x005a
    // RFC 8878, section 3.1.1.
    case .zstd: image.load(UInt32.self, at: 0) == 0xfd2f_b528
    // "ARM\x64" and "RSC\x05" (Linux, Documentation/arch/{arm64/booting,riscv/boot-image-header}.rst), before EFI, which such
    // a kernel is as well.
    case .arm64: image.load(UInt32.self, at: 0x38) == 0x644d_5241
    case .riscv: image.load(UInt32.self, at: 0x38) == 0x0543_5352
    // "MZ", and where its header is "PE".
    case .efi:
      image.load(UInt16.self, at: 0) == 0x5a4d
        && image.load(UInt32.self, at: 0x3c).flatMap { image.load(UInt32.self, at: UInt64($0)) } == 0x4550
    // "QFI\xfb".
    case .qcow2: image.load(UInt32.self, at: 0) == 0xfb49_4651
    // "CD001" of the first volume descriptor (ECMA-119, section 8).
    case .iso: image.load(UInt32.self, at: 0x8001) == 0x3030_4443
    case .disk: image.load(UInt16.self, at: 510) == 0xaa55
    }
  }
}

extension ForeignFormat: CustomStringConvertible {
  /// What it is and what to do, for a person.
  public var description: String {
    switch self {
    case .gzip: "the image is compressed with gzip: unpack it first, with 'gunzip -k' or 'zcat FILE > IMAGE'"
    case .xz: "the image is compressed with xz: unpack it first, with 'unxz -k'"
    case .zstd: "the image is compressed with zstd: unpack it first, with 'unzstd'"
    case .arm64: "the image is a Linux kernel for ARM64; this machine's processors are x86-64"
    case .riscv: "the image is a Linux kernel for RISC-V; this machine's processors are x86-64"
    case .efi: "the image is an EFI program, which needs firmware; this machine has none: link the code as ELF64"
    case .qcow2: "the image is a qcow2 disk, from which no machine here boots: give the program itself, or a kernel"
    case .iso: "the image is a CD-ROM's, from which no machine here boots: give the kernel that lies on it"
    case .disk:
      """
      the image is a boot sector or a disk: as flat real-mode code it goes where a PC's firmware loads it, with \
      --load-address 0x7c00; there is no firmware to read the disk by
      """
    }
  }
}
