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
