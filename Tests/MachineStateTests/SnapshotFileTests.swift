import APIC
import Glibc
import KVM
import MachineState
import SystemPackage
import Testing
import VMM

/// A folder for one test.
final class TestFolder {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/lapwing-state-XXXXXX".utf8CString)
    let name = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
    }
    path = FilePath(try #require(name))
  }

  deinit {
    for name in names { unsafe path.appending(name).withPlatformString { _ = unsafe unlink($0) } }
    unsafe path.withPlatformString { _ = unsafe rmdir($0) }
  }

  var names: [String] {
    guard let directory = unsafe opendir(path.string) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func bytes(of name: String) throws -> [UInt8] {
    let file = try FileDescriptor.open(path.appending(name), .readOnly)
    return try file.closeAfter {
      var bytes = [UInt8](repeating: 0, count: Int(try file.seek(offset: 0, from: .end)))
      _ = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(fromAbsoluteOffset: 0, into: $0) }
      return bytes
    }
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = try FileDescriptor.open(
      path.appending(name), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(bytes) }
  }
}

@Suite("A snapshot on disk") struct SnapshotFileTests {
  static func snapshot(fill: UInt8 = 7) -> Snapshot {
    var state = MachineState.madeUp()
    state.memory = nil
    let memory = MemoryImage(
      size: state.configuration.memory,
      runs: [
        .init(address: 0x1000, bytes: [UInt8](repeating: fill, count: 4096)),
        .init(address: 0x10_0000, bytes: (0..<3 * 4096).map { UInt8(truncatingIfNeeded: $0 / 3) }),
      ])
    return Snapshot(state: state, memory: memory)
  }

  @Test func `what is written is read back`() throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    let snapshot = Self.snapshot()
    try file.write(snapshot)
    let (document, memory) = try file.read()
    #expect(memory == snapshot.memory)
    var state = document.state
    #expect(state.memory?.file == "a.json.memory")
    #expect(state.memory?.pages == 4)
    state.memory = nil
    #expect(state == snapshot.state)
    #expect(folder.names == ["a.json", "a.json.memory"])
  }

  @Test func `a snapshot replaces another, whose memory it leaves alone until it is whole`() throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    for fill in [UInt8(1), 2, 3] {
      try file.write(Self.snapshot(fill: fill))
      #expect(try file.read().memory == Self.snapshot(fill: fill).memory)
      #expect(folder.names.count == 2)
    }
  }

  @Test func `a write that fails leaves the old snapshot as it was`() throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    try file.write(Self.snapshot(fill: 1))
    let before = try folder.names.map { try folder.bytes(of: $0) }
    // All other names are taken.
    let taken = (2...9).map { "a.json.memory-\($0)" }
    for name in taken { try folder.write([1], to: name) }
    #expect(throws: SnapshotFileError.self) { try file.write(Self.snapshot(fill: 2)) }
    #expect(try ["a.json", "a.json.memory"].map { try folder.bytes(of: $0) } == before)
    #expect(try file.read().memory == Self.snapshot(fill: 1).memory)
    #expect(folder.names == ["a.json", "a.json.memory"] + taken)
  }

  @Test func `a snapshot never takes the place of another's memory`() throws {
    let folder = try TestFolder()
    let first = SnapshotFile(folder.path.appending("a.json"))
    try first.write(Self.snapshot(fill: 1))
    let error = #expect(throws: SnapshotFileError.self) {
      try SnapshotFile(folder.path.appending("a.json.memory")).write(Self.snapshot(fill: 2))
    }
    #expect(error?.description.contains("it is the memory of a snapshot") == true)
    #expect(try first.read().memory == Self.snapshot(fill: 1).memory)
    // One whose state has another name now.
    try folder.write(try folder.bytes(of: "a.json"), to: "kept.json")
    try folder.write(Array("{}".utf8), to: "a.json")
    try first.write(Self.snapshot(fill: 3))
    #expect(try SnapshotFile(folder.path.appending("kept.json")).read().memory == Self.snapshot(fill: 1).memory)
    #expect(try first.read().memory == Self.snapshot(fill: 3).memory)
  }

  @Test func `an interruption between the two files leaves the old snapshot usable`() throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    try file.write(Self.snapshot(fill: 1))
    let old = try folder.bytes(of: "a.json")
    let oldMemory = try folder.bytes(of: "a.json.memory")
    try file.write(Self.snapshot(fill: 2))
    // As if it had stopped before the rename of the state: the new memory is there, and so is the old pair.
    try folder.write(old, to: "a.json")
    try folder.write(oldMemory, to: "a.json.memory")
    #expect(try file.read().memory == Self.snapshot(fill: 1).memory)
    // And memory that is not the state's is refused.
    try folder.write(try folder.bytes(of: "a.json.memory-2"), to: "a.json.memory")
    let error = #expect(throws: SnapshotFileError.self) { try file.read() }
    #expect(error?.description.contains("memory.checksum") == true)
  }

  @Test func `damaged memory is refused with the place`() throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    try file.write(Self.snapshot())
    let good = try folder.bytes(of: "a.json.memory")
    var damaged = good
    damaged[good.count - 5] ^= 1
    for (bytes, said) in [
      (damaged, "the checksum of run 1"), (Array(good.dropLast()), "too short"), ([], "too short"),
      (Array("something else".utf8) + good, "no guest memory"),
    ] {
      try folder.write(bytes, to: "a.json.memory")
      let error = #expect(throws: SnapshotFileError.self) { try file.read() }
      #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
    }
  }

  @Test(arguments: ["../a.json.memory", "/etc/passwd", "", ".."])
  func `memory is beside the state and nowhere else`(_ name: String) throws {
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    try file.write(Self.snapshot())
    var document = try file.readDocument()
    document.state.memory?.file = name
    try folder.write(document.text, to: "a.json")
    let error = #expect(throws: SnapshotFileError.self) { try file.read() }
    #expect(error?.description.contains("memory.file") == true)
  }
}
