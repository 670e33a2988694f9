import Support
public import SystemPackage
import VMM

extension SnapshotFile {
  /// Only this user's own guests are to read what was in its memory.
  private static let permissions = FilePermissions.ownerReadWrite

  /// Makes sure that a snapshot can be written, and leaves what is there as it is.
  ///
  /// - Throws: `SnapshotFileError.unwritable`.
  public func checkWritable() throws(SnapshotFileError) { _ = try outputs() }

  /// Writes a snapshot, in place of one that may be there.
  ///
  /// Memory gets a name that the state which is there does not use, then the state takes the place of the old one by a
  /// rename. So whenever it is interrupted there is one snapshot that is whole: the old one up to the rename, the new one
  /// from then on. Both files are on disk (fsync) before either has its name.
  ///
  /// - Parameters:
  ///   - snapshot: What is written.
  ///   - isCancelled: Asked between two pieces of memory, as signals wait meanwhile.
  /// - Returns: Whether it was written: not where it was cancelled.
  /// - Throws: `SnapshotFileError.unwritable`; the old snapshot is then as it was.
  @discardableResult
  public func write(_ snapshot: Snapshot, isCancelled: () -> Bool = { false }) throws(SnapshotFileError) -> Bool {
    let table = MemoryFile(snapshot.memory, id: UInt64.random(in: .min ... .max))
    return try write(snapshot.state, table) { file in
      for run in snapshot.memory.runs {
        if isCancelled() { throw Cancellation() }
        try file.writeAll(run.bytes)
      }
    }
  }

  /// Writes a state with memory that was collected in a file, in the same way: a run of it at a time is in this process.
  ///
  /// - Parameters:
  ///   - state: The state.
  ///   - memory: Its memory, as many bytes as its configuration has.
  ///   - isCancelled: Asked between two pieces of memory, as signals wait meanwhile.
  /// - Returns: Whether it was written: not where it was cancelled.
  /// - Throws: `SnapshotFileError.unwritable`; the old snapshot is then as it was.
  public func write(
    _ state: MachineState, memory: MemorySpool, isCancelled: () -> Bool = { false }
  ) throws(SnapshotFileError) -> Bool {
    var table = MemoryFile(id: UInt64.random(in: .min ... .max), size: state.configuration.memory)
    do {
      try memory.forEachRun { address, bytes in
        if isCancelled() { throw Cancellation() }
        table.append(address, bytes)
      }
    } catch is Cancellation {
      return false
    } catch {
      throw .unwritable(
        path, "the guest's memory cannot be collected beside it: \(error); make room there, or name another place")
    }
    return try write(state, table) { file in
      try memory.forEachRun { _, bytes in
        if isCancelled() { throw Cancellation() }
        try file.writeAll(bytes)
      }
    }
  }

  private func write(
    _ state: MachineState, _ table: MemoryFile, runs: (FileDescriptor) throws -> Void
  ) throws(SnapshotFileError) -> Bool {
    let outputs = try outputs()
    let head = table.head
    var state = state
    state.memory = MemoryReference(
      file: outputs.memory.path.lastComponent?.string ?? "", id: table.id, size: table.size, pages: table.pages,
      checksum: CRC32C.of(head))
    let text = StateDocument(state).text
    let isWritten = try SignalShield.hold { () throws(SnapshotFileError) in
      do {
        var memory = try stage(outputs.memory) { file in
          try file.writeAll(head)
          try runs(file)
        }
        var document = try stage(outputs.state) { file in _ = try file.writeAll(text) }
        try commit(&memory, &document, outputs)
        return true
      } catch let error as SnapshotFileError {
        throw error
      } catch {
        return false
      }
    }
    guard isWritten, let old = outputs.oldMemory else { return isWritten }
    HostFile.remove(outputs.memory.path.removingLastComponent().appending(old))
    return true
  }

  private struct Cancellation: Error {}

  /// What is written, symbolic links followed.
  private struct Outputs {
    let state: OutputFile
    let memory: OutputFile
    /// The memory of the state that is replaced, beside it; nil where it has none.
    let oldMemory: String?
  }

  private func outputs() throws(SnapshotFileError) -> Outputs {
    let state = try output(path)
    if isMemory(state.path) { throw .unwritable(path, "it is the memory of a snapshot") }
    let names = Self.memoryNames(of: state.path)
    let folder = state.path.removingLastComponent()
    // A state is read for the name of its memory alone, and only where something of that name is there.
    let isThere = names.contains { HostFile.exists(folder.appending($0)) }
    let reference = isThere ? (try? SnapshotFile(state.path).readDocument())?.state.memory?.file : nil
    let old = reference.flatMap { names.contains($0) ? $0 : nil }
    // Nobody has named this file, so nothing is replaced: one that is there may be the memory of a state that was renamed.
    guard let memory = names.first(where: { !HostFile.exists(folder.appending($0)) }) else {
      let (first, last) = (names[0], names[names.count - 1])
      throw .unwritable(folder.appending(first), "it and those up to \(last) are there, and are not replaced")
    }
    return Outputs(state: state, memory: try output(folder.appending(memory)), oldMemory: old)
  }

  /// The names that the memory of a state may have, which is beside it: the first that is free.
  ///
  /// - Parameter state: the state's path.
  public static func memoryNames(of state: FilePath) -> [String] {
    let first = (state.lastComponent?.string ?? "snapshot") + ".memory"
    return [first] + (2...9).map { "\(first)-\($0)" }
  }

  private func isMemory(_ path: FilePath) -> Bool {
    HostFile.kind(of: path) == .regular
      && (try? HostFile.beginning(of: path, count: MemoryFile.magic.count)) == MemoryFile.magic
  }

  private func output(_ path: FilePath) throws(SnapshotFileError) -> OutputFile {
    do throws(OutputFileError) {
      return try OutputFile(path, permissions: Self.permissions)
    } catch {
      throw Self.unwritable(path, error.description, isShortage: error.isShortage)
    }
  }

  private static func unwritable(_ path: FilePath, _ problem: String, isShortage: Bool) -> SnapshotFileError {
    isShortage ? .noDescriptor(path, .write, problem) : .unwritable(path, problem)
  }

  private static func unwritable(_ path: FilePath, _ error: Errno) -> SnapshotFileError {
    unwritable(path, error.withAdvice, isShortage: error.isOfDescriptors)
  }

  private func stage(_ output: OutputFile, _ body: (FileDescriptor) throws -> Void) throws -> StagedFile {
    do {
      return try output.stage(body)
    } catch let error as Errno {
      throw Self.unwritable(output.path, error)
    }
  }

  private func commit(
    _ memory: inout StagedFile, _ document: inout StagedFile, _ outputs: Outputs
  ) throws(SnapshotFileError) {
    do throws(Errno) {
      try memory.commit()
    } catch {
      throw Self.unwritable(outputs.memory.path, error)
    }
    do throws(Errno) {
      try document.commit()
    } catch {
      HostFile.remove(outputs.memory.path)
      throw Self.unwritable(outputs.state.path, error)
    }
  }
}
