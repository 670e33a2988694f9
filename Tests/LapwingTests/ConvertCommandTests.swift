import Foundation
import TestStates
import Testing

/// A stream of QEMU's made a snapshot, as a user does it.
@Suite(.needsKVM) struct ConvertCommandTests {
  private let stream: GuestFile

  init() throws { stream = try GuestFile(MadeUpStream.whole.bytes) }

  /// The made-up guest's timers are in TSC-deadline mode, which its processor has to have.
  private func convert(_ stream: String, to path: String) -> [String] {
    ["convert", stream, "-o", path, "--cpu", "qemu64,+tsc-deadline"]
  }

  @Test func `a stream becomes a snapshot, and what was left out is named unless nobody wants to know`() throws {
    let folder = try Folder()
    let result = try Program.run(convert(stream.path, to: folder.path("s.json")))
    #expect(result.status == 0 && result.output == "", "\(result.errors)")
    #expect(result.errors == "lapwing: left out, with what they hold: slirp\n")
    #expect(folder.names == ["s.json", "s.json.memory"])
    let shown = try Program.run(["inspect", folder.path("s.json")])
    #expect(shown.status == 0 && shown.output.contains("2 vCPUs"), "\(shown.output)")
    #expect(try Program.run(["diff", stream.path, folder.path("s.json"), "--no-memory"]).output.contains("GUEST"))
    let pipe = try Program.run(
      convert("-", to: folder.path("p.json")) + ["--quiet"],
      through: ["/bin/sh", "-c", "cat \(stream.path) | \"$0\" \"$@\""])
    #expect(pipe.status == 0 && pipe.errors == "", "\(pipe.errors)")
    #expect(try Program.run(["diff", folder.path("s.json"), folder.path("p.json")]).output.contains("GUEST"))
  }

  @Test func `it is not the stream's fault where there is no room for its memory`() throws {
    let folder = try Folder()
    // 4 KiB, which the words on standard error do not need.
    let result = try Program.run(
      convert(stream.path, to: folder.path("s.json")), through: ["/bin/sh", "-c", "ulimit -f 8; exec \"$0\" \"$@\""])
    #expect(result.status == 65 && folder.names == [])
    #expect(result.errors.contains("make room there"), "\(result.errors)")
    #expect(!result.errors.contains("migration stream"))
  }

  @Test func `what cannot become a snapshot is refused with the reason and 65, and nothing is left`() throws {
    let folder = try Folder()
    let whole = MadeUpStream.whole
    func problem(_ bytes: [UInt8]) throws -> String {
      let file = try GuestFile(bytes)
      let result = try Program.run(["convert", file.path, "-o", folder.path("s.json")])
      #expect(result.status == 65 && folder.names == [], "\(result.status) \(folder.names)")
      return result.errors
    }
    for (device, said) in [("i8254", "the PIT"), ("ioapic", "the IOAPIC"), ("i8259", "the two PICs")] {
      var stream = whole
      stream.devices.removeAll { $0.name == device }
      #expect(try problem(stream.bytes).contains("lacks what a machine needs to go on: \(said)\n"))
    }
    var other = whole
    other.machine = "microvm-9.9"
    #expect(try problem(other.bytes).contains("which \"microvm-9.9\" is not"))
    #expect(try problem(Array(whole.bytes.dropLast(2000))).contains("is not a migration stream of QEMU: at byte 0x"))
    #expect(
      try problem(Array("dumping local APIC state for CPU 0\nLVTT\t 0x000400ec\n".utf8)).contains(
        "no memory that could be converted"))
    #expect(try problem([]).contains("is not a machine's state"))
    let gone = try Program.run(["convert", folder.path("gone"), "-o", folder.path("s.json")])
    #expect(gone.status == 65 && gone.errors.contains("cannot read"), "\(gone.errors)")
  }

  @Test func `wrong usage ends with 64, and the stream stays`() throws {
    let folder = try Folder()
    let before = try Data(contentsOf: URL(fileURLWithPath: stream.path))
    for arguments in [
      [stream.path], ["-o", folder.path("s")], [stream.path, "-o", stream.path],
      [stream.path, "-o", folder.path("s"), "--cpu", "qemu64,+nonsense"],
      [stream.path, "-o", folder.path("s"), "--cpu", ""],
    ] {
      let result = try Program.run(["convert"] + arguments)
      #expect(result.status == 64, "\(arguments): \(result.status) \(result.errors)")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: stream.path)) == before && folder.names == [])
  }

  @Test(arguments: [SIGHUP, SIGINT, SIGTERM])
  func `a signal that comes while memory goes by ends it, and leaves nothing`(signal: Int32) throws {
    let folder = try Folder()
    // The rest of the stream never comes; what has come was read once the pipe is empty.
    try folder.makeNode("pipe", S_IFIFO)
    let writer = try #require(FileHandle(forUpdatingAtPath: folder.path("pipe")))
    try writer.write(contentsOf: Data(MadeUpStream.whole.bytes.prefix(6000)))
    let program = try Program(["convert", folder.path("pipe"), "-o", folder.path("s.json")])
    #expect(program.wait { isEmpty(writer.fileDescriptor) })
    program.signal(signal)
    let result = try program.result()
    #expect(result.wasKilled && result.status == signal, "\(result.status) \(result.errors)")
    #expect(folder.names == ["pipe"])
  }

  private func isEmpty(_ pipe: Int32) -> Bool {
    var request = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
    // Sound: the call writes the one structure it is given.
    return unsafe poll(&request, 1, 0) == 0
  }

  @Test(arguments: OutputTests.Obstacle.allCases.filter { !$0.needsRoot || Host.isRoot })
  func `where no file can be, a snapshot is refused, and nothing beside it changes`(
    obstacle: OutputTests.Obstacle
  ) throws {
    let folder = try Folder()
    let path = try obstacle.put(in: folder)
    let before = try folder.listing
    let result = try Program.run(["convert", stream.path, "--output", path])
    #expect(!result.wasKilled && result.status == 65, "\(result.status) \(result.errors)")
    #expect(result.errors.hasPrefix("lapwing: "), "\(result.errors)")
    #expect(try folder.listing == before)
  }
}
