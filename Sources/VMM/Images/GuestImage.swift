import APIC
public import Support
public import SystemPackage

/// A program for the bare machine.
public struct GuestImage: Sendable {
  /// What people call it.
  public let name: String
  /// Its bytes.
  public let contents: ImageBytes
  /// The initial RAM disk that a Linux kernel finds; nil for none.
  public var initrd: ImageBytes?

  /// An image with that name and the bytes of its file.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.contents = ImageBytes(bytes)
  }

  /// Decides what goes where.
  ///
  /// With a load address the image is flat real-mode code. Otherwise a Linux kernel's setup header decides, then a Multiboot
  /// header, then the ELF header, and in an ELF64 file a note of a PVH entry.
  ///
  /// - Parameter loadAddress: where flat code goes, below 1 MiB; nil for an image that says it itself.
  /// - Throws: `ImageError` for an image that is empty, truncated, unknown or for another machine.
  public func plan(loadAddress: UInt64? = nil) throws(ImageError) -> LoadPlan {
    guard contents.count > 0 else { throw .empty }
    if let loadAddress { return try flatPlan(at: loadAddress) }
    if SetupHeader.matches(contents) { return try SetupHeader(contents).plan }
    if let header = MultibootHeader(contents) { return try header.plan(contents) }
    guard ELFFile.matches(contents) else {
      if let format = ForeignFormat(contents) { throw .foreign(format) }
      throw .unknownFormat
    }
    let file = try ELFFile(contents)
    guard file.fileClass == .bits64 else {
      throw .unsupportedELF(reason: "a 32-bit image needs a Multiboot header in its first 8192 bytes")
    }
    return file.plan(entry: PVHNote.entry(contents, in: file.notes).map { .pvh($0) } ?? .longMode(file.entry))
  }

  /// Whether it is a kernel for the profile `linux`: a bzImage, be it damaged, or an ELF64 file with a PVH entry.
  public var isLinuxKernel: Bool {
    SetupHeader.matches(contents) || (try? plan().entry.isKernel) ?? false
  }

  private func flatPlan(at address: UInt64) throws(ImageError) -> LoadPlan {
    let size = UInt64(contents.count)
    guard address < 1 << 20, size <= 1 << 20 - address else { throw .unreachable(address: address, size: size) }
    return LoadPlan(
      segments: [LoadPlan.Segment(address: address, size: size, file: 0..<contents.count)], entry: .realMode(address))
  }
}

extension GuestImage {
  /// An image larger than this, in bytes, is no tiny guest; it is refused before all of it is read.
  public static let sizeLimit = 256 << 20

  /// The image in a file, named as the file is.
  ///
  /// - Parameters:
  ///   - path: the file's.
  ///   - limit: how many bytes it may have.
  ///   - acceptsPipes: whether a pipe is read to its end as well, for a file that a person names.
  ///   - patience: how long that may take; nil for however long.
  /// - Throws: `ImageError.file`.
  public init(
    file path: FilePath, limit: Int = sizeLimit, acceptsPipes: Bool = false, patience: Duration? = nil
  ) throws(ImageError) {
    do throws(HostFileError) {
      self.init(
        name: path.lastComponent?.string ?? path.string,
        bytes: try HostFile.read(path, limit: limit, acceptsPipes: acceptsPipes, patience: patience))
    } catch {
      throw .file(error)
    }
  }
}

/// Why a guest image cannot be booted.
public enum ImageError: Error, Hashable, Sendable {
  /// Its file cannot be read.
  case file(HostFileError)
  /// There is nothing in it.
  case empty
  /// It neither is an ELF file nor holds a Multiboot header or a Linux kernel's, and no load address says that it is flat
  /// code.
  case unknownFormat
  /// It is something else, which has a name.
  case foreign(ForeignFormat)
  /// It ends before `what`, which should be there.
  case truncated(what: String)
  /// It is an ELF file that this machine does not run: another processor, class, byte order or type.
  case unsupportedELF(reason: String)
  /// The program has no loadable segment.
  case nothingToLoad
  /// A segment lies, partly at least, outside of guest memory.
  case outsideMemory(segment: Int, address: UInt64, size: UInt64, memory: UInt64)
  /// A segment's end lies beyond the end of the address space.
  case wrapsAround(segment: Int, address: UInt64, size: UInt64)
  /// Two segments claim the same memory.
  case overlapping(first: Int, Range<UInt64>, second: Int, Range<UInt64>)
  /// The entry point lies in none of the segments.
  case entryOutside(UInt64)
  /// The Multiboot header asks for what this loader does not do.
  case unsupportedMultiboot(reason: String)
  /// It is a Linux kernel that cannot be booted: damaged, too old, or without a 64-bit entry.
  case unsupportedKernel(reason: String)
  /// A Linux kernel does not take that many bytes of command line.
  case commandLineTooLong(size: Int, limit: Int)
  /// The initial RAM disk does not fit between the kernel's end and the last address that the kernel looks for it at.
  case initrdTooLarge(size: UInt64, start: UInt64, end: UInt64)
  /// A flat image does not fit between its load address and the end of what real mode reaches.
  case unreachable(address: UInt64, size: UInt64)
}

extension ImageError: CustomStringConvertible {
  /// What is wrong, for a person, and what can be done about it.
  public var description: String {
    switch self {
    case .file(let error):
      "it cannot be read: \(error)"
    case .empty:
      "the image is empty"
    case .unknownFormat:
      """
      the image is neither an ELF file nor a Multiboot image nor a Linux kernel for x86-64; for flat real-mode code say \
      where it goes: --load-address
      """
    case .foreign(let format):
      format.description
    case .truncated(let what):
      "the image is truncated: it ends before \(what)"
    case .unsupportedELF(let reason):
      "the ELF file cannot run here: \(reason)"
    case .nothingToLoad:
      "the ELF file has no segment to load (PT_LOAD)"
    case .outsideMemory(let segment, let address, let size, let memory):
      """
      segment \(segment) (\(size) bytes at \(hex(address))) lies outside of guest memory, which ends at \(hex(memory)); \
      give the guest more with --memory, or link it lower
      """
    case .wrapsAround(let segment, let address, let size):
      "segment \(segment) (\(hex(size)) bytes at \(hex(address))) wraps around the end of the address space"
    case .overlapping(let first, let one, let second, let other):
      """
      segments \(first) (\(hex(one.lowerBound)) to \(hex(one.upperBound - 1))) and \(second) \
      (\(hex(other.lowerBound)) to \(hex(other.upperBound - 1))) overlap in memory
      """
    case .entryOutside(let entry):
      "the entry point \(hex(entry)) lies in no segment"
    case .unsupportedMultiboot(let reason):
      "the Multiboot header cannot be honoured: \(reason)"
    case .unsupportedKernel(let reason):
      "the Linux kernel cannot be booted: \(reason)"
    case .commandLineTooLong(let size, let limit):
      "the command line has \(size) bytes, and this kernel takes at most \(limit)"
    case .initrdTooLarge(let size, let start, let end):
      """
      the initial RAM disk, of \(size) bytes, does not fit into memory between the kernel's end at \(hex(start)) and \
      \(hex(end)): give the guest more memory with --memory, or make it smaller
      """
    case .unreachable(let address, let size):
      "\(size) bytes at \(hex(address)) reach beyond 1 MiB, where flat real-mode code has to end"
    }
  }
}

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
