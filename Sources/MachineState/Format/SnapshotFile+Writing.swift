import Glibc
import SystemPackage
import VMM

extension SnapshotFile {
  /// Writes a snapshot, in place of one that may be there.
  ///
  /// Memory goes first, under a name that the state which is there does not use, then the state takes the place of the old
  /// one by a rename. So whenever it is interrupted there is one snapshot that is whole: the old one up to the rename, the
  /// new one from then on. Both files are on disk (fsync) before their names are.
  ///
  /// - Throws: `SnapshotFileError.unwritable`; the old snapshot is then as it was.
  public func write(_ snapshot: Snapshot) throws(SnapshotFileError) {
    let old = (try? readDocument())?.state.memory?.file
    let name = memoryName(besides: old)
    let table = MemoryFile(snapshot.memory, id: UInt64.random(in: .min ... .max))
    let head = table.head
    var state = snapshot.state
    state.memory = MemoryReference(
      file: name, id: table.id, size: table.size, pages: table.pages, checksum: CRC32C.of(head))
    let memoryPath = path.removingLastComponent().appending(name)
    try replace(memoryPath) { file in
      try file.writeAll(head)
      for run in snapshot.memory.runs { try file.writeAll(run.bytes) }
    }
    let text = StateDocument(state).text
    do throws(SnapshotFileError) {
      try replace(path) { file in _ = try file.writeAll(text) }
    } catch {
      Self.remove(memoryPath)
      throw error
    }
    if let old, old != name, Self.isMemoryName(old, of: path) {
      Self.remove(path.removingLastComponent().appending(old))
    }
  }

  /// `FILE.memory`, or `FILE.memory-2` while a state uses the first.
  private func memoryName(besides old: String?) -> String {
    let name = (path.lastComponent?.string ?? "snapshot") + ".memory"
    return old == name ? name + "-2" : name
  }

  private static func isMemoryName(_ name: String, of path: FilePath) -> Bool {
    let first = (path.lastComponent?.string ?? "snapshot") + ".memory"
    return name == first || name == first + "-2"
  }

  /// Writes a file under another name, and gives it its own once it is on disk.
  private func replace(
    _ path: FilePath, _ body: (FileDescriptor) throws -> Void
  ) throws(SnapshotFileError) {
    guard let name = path.lastComponent else { throw .unwritable(path, "it names no file") }
    let folder = path.removingLastComponent()
    // Nobody can know the name and have a link to a file of this user's there first.
    let number = String(UInt64.random(in: .min ... .max), radix: 36)
    let temporary = folder.appending(".\(name.string).\(number).new")
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .noFollow], permissions: [.ownerReadWrite])
    } catch {
      throw .unwritable(path, "\(error)")
    }
    do {
      try file.closeAfter {
        try body(file)
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
      }
      let answer = unsafe temporary.withPlatformString { old in
        unsafe path.withPlatformString { unsafe rename(old, $0) }
      }
      guard answer == 0 else { throw Errno(rawValue: errno) }
      // The name is on disk once its folder is. Some file systems cannot be asked for that.
      let directory = try? FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly)
      try? directory?.closeAfter { _ = directory.map { fsync($0.rawValue) } }
    } catch {
      Self.remove(temporary)
      throw .unwritable(path, "\(error)")
    }
  }

  private static func remove(_ path: FilePath) {
    unsafe path.withPlatformString { _ = unsafe unlink($0) }
  }
}
