import Glibc
import Support
import SystemPackage
import Testing

@Suite final class HostFileTests {
  private let folder: FilePath

  init() throws {
    var template = Array("/tmp/lapwing-files-XXXXXX".utf8CString)
    // Sound: the call changes the template's characters in place, and the array outlives it.
    let made = unsafe mkdtemp(&template) != nil
    try #require(made)
    folder = FilePath(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  deinit {
    for name in HostFile.names(in: folder) { remove(folder.appending(name)) }
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe _ = rmdir(folder.string)
  }

  private func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
    let path = folder.appending(name)
    let file = try FileDescriptor.open(path, .writeOnly, options: .create, permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(bytes) }
    return path
  }

  private func remove(_ path: FilePath) {
    // Sound: as above.
    unsafe _ = unlink(path.string)
  }

  @Test func `a file is read up to its limit and not past it`() throws {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
    let path = try write(bytes, to: "file")
    #expect(try HostFile.read(path, limit: 5000) == bytes)
    #expect(throws: HostFileError.tooLarge(limit: 4999)) { try HostFile.read(path, limit: 4999) }
    #expect(try HostFile.beginning(of: path, count: 10) == Array(bytes[..<10]))
    #expect("\(HostFileError.tooLarge(limit: 256 << 20))" == "it is larger than 256 MiB")
  }

  @Test func `a file without an end is given up at the limit`() {
    #expect(throws: HostFileError.tooLarge(limit: 1 << 20)) { try HostFile.read("/dev/zero", limit: 1 << 20) }
  }

  @Test(.timeLimit(.minutes(1))) func `a named pipe is waited for until somebody writes to it`() throws {
    let pipe = folder.appending("pipe")
    // Sound: as above.
    let isMade = unsafe mkfifo(pipe.string, 0o600) == 0
    try #require(isMade)
    #expect(throws: HostFileError.pipe) { try HostFile.read(pipe, limit: 10) }
    #expect(throws: HostFileError.pipe) { _ = try HostFile.open(pipe) }
    #expect(HostFile.text(pipe) == nil)
    #expect(throws: HostFileError.incomplete) {
      try HostFile.read(pipe, limit: 10, acceptsPipes: true, patience: .milliseconds(50))
    }
    for readsPieces in [false, true] {
      let thread = try HostThread.start {
        usleep(50_000)
        guard let writer = try? FileDescriptor.open(pipe, .writeOnly) else { return }
        _ = try? writer.closeAfter { try writer.writeAll([1, 2, 3]) }
      }
      defer { pthread_join(thread, nil) }
      guard readsPieces else {
        #expect(try HostFile.read(pipe, limit: 10, acceptsPipes: true) == [1, 2, 3])
        continue
      }
      let input = try FileInput(pipe)
      var piece = [UInt8](repeating: 0, count: 10)
      #expect(try input.read(into: &piece) == 3)
      #expect(try input.read(into: &piece) == 0)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a pipe that a person names is read until its writer is done`() throws {
    let ends = try FileDescriptor.pipe()
    let bytes = [UInt8](repeating: 7, count: 300_000)
    let thread = try HostThread.start {
      _ = try? ends.writeEnd.writeAll(bytes)
      try? ends.writeEnd.close()
    }
    defer {
      pthread_join(thread, nil)
      try? ends.readEnd.close()
    }
    #expect(
      try HostFile.read(
        FilePath("/proc/self/fd/\(ends.readEnd.rawValue)"), limit: 1 << 20, acceptsPipes: true) == bytes)
  }

  @Test(.timeLimit(.minutes(1))) func `a writer who never comes to an end is given up in time`() throws {
    let ends = try FileDescriptor.pipe()
    let thread = try HostThread.start {
      // Until there is no reader any more, whose signal the tests' process ignores.
      _ = signal(SIGPIPE, SIG_IGN)
      while (try? ends.writeEnd.writeAll([7])) != nil { usleep(10_000) }
    }
    #expect(throws: HostFileError.incomplete) {
      try HostFile.read(
        FilePath("/proc/self/fd/\(ends.readEnd.rawValue)"), limit: 1 << 20, acceptsPipes: true,
        patience: .milliseconds(200))
    }
    try ends.readEnd.close()
    pthread_join(thread, nil)
    try ends.writeEnd.close()
  }

  @Test func `what cannot be read says why`() {
    #expect(throws: HostFileError.unreadable(.noSuchFileOrDirectory)) {
      try HostFile.read(folder.appending("none"), limit: 10)
    }
    #expect(throws: HostFileError.unreadable(.isDirectory)) { try HostFile.read(folder, limit: 10) }
  }

  @Test func `a text is without its last newline, and names are sorted without hidden ones`() throws {
    #expect(HostFile.text(try write(Array("Y\n".utf8), to: "b")) == "Y")
    _ = try write([], to: "a")
    let hidden = try write([], to: ".c")
    #expect(HostFile.names(in: folder) == ["a", "b"])
    remove(hidden)
    #expect(HostFile.names(in: folder.appending("none")) == [])
    #expect(HostFile.exists(folder) && !HostFile.exists(folder.appending("none")))
  }
}
