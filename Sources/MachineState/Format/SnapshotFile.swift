import Glibc
public import JSON
import Support
public import SystemPackage
import VMM

/// A snapshot on disk: the state's document, and guest memory beside it.
public struct SnapshotFile: Sendable {
  /// Longer documents are refused before they are read: 4096 vCPUs with AMX take less.
  private static let documentLimit = 256 << 20

  /// The document's path.
  public let path: FilePath

  /// How long a pipe may take to its end; nil for however long.
  private let patience: Duration?

  /// A snapshot at a path.
  ///
  /// - Parameters:
  ///   - path: The document's path.
  ///   - patience: How long it may take to its end where it is a pipe or a device; nil for however long.
  public init(_ path: FilePath, patience: Duration? = nil) {
    self.path = path
    self.patience = patience
  }

  /// Reads the state alone: memory is neither read nor looked for.
  ///
  /// - Throws: `SnapshotFileError`.
  public func readDocument() throws(SnapshotFileError) -> StateDocument {
    let text = try read(path, atMost: Self.documentLimit)
    do throws(MalformedState) {
      return try StateDocument(text: text)
    } catch {
      throw .malformed(path, error)
    }
  }

  /// Reads state and memory. The disks are without their paths: a snapshot may come from anywhere, and whoever goes on from
  /// it names this host's files.
  ///
  /// - Throws: `SnapshotFileError`.
  public func read() throws(SnapshotFileError) -> (document: StateDocument, memory: MemoryImage) {
    var document = try readDocument()
    document.state.configuration.forgetDisks()
    guard let reference = document.state.memory else {
      throw .malformed(path, MalformedState("the state has no memory, so nothing can go on from it", at: "memory"))
    }
    do throws(MalformedState) {
      try reference.validateName()
    } catch {
      throw .malformed(path, error)
    }
    return (document, try readMemory(reference))
  }

  private func readMemory(_ reference: MemoryReference) throws(SnapshotFileError) -> MemoryImage {
    // Where the document is that a symbolic link leads to, or else beside the link.
    let beside = HostFile.resolved(path)?.removingLastComponent().appending(reference.file)
    let named = path.removingLastComponent().appending(reference.file)
    let path = if let beside, HostFile.exists(beside) { beside } else { named }
    let file: FileDescriptor
    do {
      file = try HostFile.open(path)
    } catch {
      throw .unreadable(path, "\(error)")
    }
    defer { try? file.close() }
    do throws(MalformedState) {
      let header = try bytes(of: file, MemoryFile.headerSize, at: 0)
      let head = try bytes(of: file, try MemoryFile.headSize(header, reference), at: 0)
      let table = try MemoryFile(head: head, reference)
      var image = MemoryImage(size: table.size)
      var offset = table.dataOffset
      for (index, entry) in table.entries.enumerated() {
        let bytes = try bytes(of: file, Int(entry.pages * GuestMemory.pageSize), at: offset)
        guard CRC32C.of(bytes) == entry.checksum else {
          throw MalformedState(
            "the file is damaged: the checksum of run \(index), at offset \(offset), differs", at: "memory.file")
        }
        image.runs.append(MemoryImage.Run(address: entry.address, bytes: bytes))
        offset += bytes.count
      }
      return image
    } catch {
      throw .malformed(self.path, error)
    }
  }

  private func bytes(of file: FileDescriptor, _ count: Int, at offset: Int) throws(MalformedState) -> [UInt8] {
    // A table may claim to be long: there is no room made for what the file does not have.
    guard let end = try? file.seek(offset: 0, from: .end), offset + count <= end else {
      throw MalformedState("the file is too short", at: "memory.file")
    }
    do throws(Errno) {
      return try file.readAll(count, fromAbsoluteOffset: Int64(offset))
    } catch {
      throw MalformedState("the file is too short", at: "memory.file")
    }
  }

  private func read(_ path: FilePath, atMost limit: Int) throws(SnapshotFileError) -> [UInt8] {
    do throws(HostFileError) {
      return try HostFile.read(path, limit: limit, acceptsPipes: true, patience: patience)
    } catch .incomplete {
      throw .incomplete(path)
    } catch let error where error.isShortage {
      throw .noDescriptor(path, .read, "\(error)")
    } catch {
      throw .unreadable(path, "\(error)")
    }
  }
}

extension MachineConfiguration {
  fileprivate mutating func forgetDisks() {
    for (index, device) in virtio.enumerated() {
      guard case .disk(var disk) = device else { continue }
      disk.path = ""
      virtio[index] = .disk(disk)
    }
  }
}

extension MemoryReference {
  /// A document may come from anywhere: its memory is beside it, not somewhere else on this host.
  func validateName() throws(MalformedState) {
    guard !file.isEmpty, file != ".", file != "..", !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(0)
    else {
      throw MalformedState("the name of a file beside the state expected, not \"\(file)\"", at: "memory.file")
    }
  }
}

/// Why a snapshot could not be read or written.
public enum SnapshotFileError: Error, Sendable, CustomStringConvertible {
  /// A file cannot be read.
  case unreadable(FilePath, String)
  /// A pipe or a device did not come to its end in time.
  case incomplete(FilePath)
  /// There is no descriptor left to read or write a file by, which says nothing of the file.
  case noDescriptor(FilePath, Access, String)
  /// A file cannot be written; what was there before still is.
  case unwritable(FilePath, String)
  /// A file does not hold what it should.
  case malformed(FilePath, MalformedState)

  /// What was to be done with a file.
  public enum Access: String, Sendable {
    case read, write
  }

  /// Which file and what is wrong, for a person.
  public var description: String {
    switch self {
    case .incomplete(let path): "cannot read '\(path)': \(HostFileError.incomplete)"
    case .noDescriptor(let path, let access, let reason): "cannot \(access.rawValue) '\(path)': \(reason)"
    case .unreadable(let path, let reason): "cannot read '\(path)': \(reason)"
    case .unwritable(let path, let reason): "cannot write '\(path)': \(reason)"
    case .malformed(let path, let error): "\(path): \(error)"
    }
  }
}
