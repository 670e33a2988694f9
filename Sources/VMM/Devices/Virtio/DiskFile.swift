import Glibc
import Support
import SystemPackage

/// A file of the host's that a guest has as its disk, in sectors of 512 bytes.
final class DiskFile: Sendable {
  static let sectorSize: UInt64 = 512

  private let file: FileDescriptor
  /// How many sectors it had when it was opened.
  let sectors: UInt64
  /// Whether the guest can only read it.
  let isReadOnly: Bool

  /// Opens a disk and locks it (flock(2)), so that no other machine writes to it meanwhile.
  ///
  /// - Throws: `DiskError`.
  init(_ disk: VirtioDevice.Disk) throws(DiskError) {
    func refuse(_ problem: String) -> DiskError { DiskError(path: disk.path, problem: problem) }
    guard !disk.path.isEmpty else { throw refuse("no file is named for it; give --disk FILE") }
    guard disk.path.utf8.count <= HostFile.longestPath else { throw refuse("its path is too long") }
    let path = FilePath(disk.path)
    guard HostFile.kind(of: path) != .directory else { throw refuse("it is a directory, not a disk image") }
    let (file, size) = try Self.open(path, disk)
    guard size >= Int64(Self.sectorSize), UInt64(size).isMultiple(of: Self.sectorSize) else {
      try? file.close()
      throw refuse(
        size == 0
          ? "it is empty, or has no size"
          : "it has \(size) bytes, where a disk has a multiple of 512; lengthen it with 'truncate --size=%512 FILE'")
    }
    guard Self.lock(file, isShared: disk.isReadOnly) else {
      try? file.close()
      throw refuse(
        disk.isReadOnly
          ? "another machine writes to it" : "another machine has it; end that, or give ',ro' to both")
    }
    self.file = file
    isReadOnly = disk.isReadOnly
    sectors = UInt64(size) / Self.sectorSize
  }

  deinit { try? file.close() }

  private static func open(
    _ path: FilePath, _ disk: VirtioDevice.Disk
  ) throws(DiskError) -> (FileDescriptor, Int64) {
    do {
      // Without O_NONBLOCK, opening a pipe waits for somebody at its other end.
      let file = try FileDescriptor.open(
        path, disk.isReadOnly ? .readOnly : .readWrite, options: [.closeOnExec, .nonBlocking])
      do {
        // A pipe has no end to go to (ESPIPE).
        return (file, try file.seek(offset: 0, from: .end))
      } catch {
        try? file.close()
        throw error
      }
    } catch {
      let errno = error as? Errno ?? .ioError
      let canBeRead = !disk.isReadOnly && [.permissionDenied, .readOnlyFileSystem].contains(errno)
      let advice = canBeRead ? "; to have it only read, give ',ro' behind its name" : ""
      throw DiskError(path: disk.path, problem: errno.withAdvice + advice, isShortage: errno.isOfDescriptors)
    }
  }

  private static func lock(_ file: FileDescriptor, isShared: Bool) -> Bool {
    flock(file.rawValue, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0
  }

  /// Lets another machine have it.
  func unlock() { _ = flock(file.rawValue, LOCK_UN) }

  /// Whether sectors are all on the disk.
  func holds(_ sector: UInt64, bytes: UInt64) -> Bool {
    sector <= sectors && bytes <= (sectors - sector) * Self.sectorSize
  }

  /// Reads bytes from a sector that the disk holds.
  ///
  /// - Throws: `Errno`; `.ioError` where the file has become shorter.
  func read(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
    try file.readAll(count, fromAbsoluteOffset: Int64(offset))
  }

  /// Writes bytes from a sector on that the disk holds.
  ///
  /// - Throws: `Errno`.
  func write(_ bytes: [UInt8], at offset: UInt64) throws(Errno) {
    do { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) } catch { throw error as? Errno ?? .ioError }
  }

  /// Has what was written be on the medium (fdatasync(2)).
  func flush() throws(Errno) {
    guard fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
  }
}

/// Why a file cannot be a machine's disk.
public struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Its path, as a person gave it.
  public var path: String
  /// What is wrong, and what can be done about it.
  public var problem: String
  /// Whether there was no descriptor left to open it by, which says nothing of the file.
  public var isShortage = false

  /// The file and what is wrong, for a person.
  public var description: String { "the disk '\(path)': \(problem)" }
}
