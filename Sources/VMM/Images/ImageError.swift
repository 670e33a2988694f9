import APIC
import Support
public import SystemPackage

/// Why a guest image cannot be booted.
public enum ImageError: Error, Hashable, Sendable {
  /// Its file cannot be read.
  case unreadable(Errno)
  /// Its file is a pipe or a socket, which may keep its reader waiting.
  case pipe
  /// Its file has more bytes than an image may have.
  case tooLarge(limit: Int)
  /// There is nothing in it.
  case empty
  /// It neither is an ELF file nor holds a Multiboot header, and no load address says that it is flat code.
  case unknownFormat
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
  case overlapping(first: Int, second: Int)
  /// The entry point lies in none of the segments.
  case entryOutside(UInt64)
  /// The Multiboot header asks for what this loader does not do.
  case unsupportedMultiboot(reason: String)
  /// A flat image does not fit between its load address and the end of what real mode reaches.
  case unreachable(address: UInt64, size: UInt64)
}

extension ImageError: CustomStringConvertible {
  /// What is wrong, for a person, and what can be done about it.
  public var description: String {
    switch self {
    case .unreadable(let errno):
      "it cannot be read: \(errno)"
    case .pipe:
      "\(HostFileError.pipe)"
    case .tooLarge(let limit):
      "\(HostFileError.tooLarge(limit: limit))"
    case .empty:
      "the image is empty"
    case .unknownFormat:
      "the image is neither an ELF file nor a Multiboot image; for flat real-mode code say where it goes: --load-address"
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
    case .overlapping(let first, let second):
      "segments \(first) and \(second) overlap in memory"
    case .entryOutside(let entry):
      "the entry point \(hex(entry)) lies in no segment"
    case .unsupportedMultiboot(let reason):
      "the Multiboot header cannot be honoured: \(reason)"
    case .unreachable(let address, let size):
      "\(size) bytes at \(hex(address)) reach beyond 1 MiB, where flat real-mode code has to end"
    }
  }
}
