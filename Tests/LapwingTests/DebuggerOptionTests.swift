import Foundation
import TestImages
import Testing

/// Where gdb is waited for, and what is refused.
@Suite(.needsKVM) struct DebuggerOptionTests {
  private func path(_ name: String = "lw-\(UUID().uuidString.prefix(8))") -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent(name).path
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal ends the wait for gdb, and the socket is gone`(signal: Int32, status: Int32) throws {
    let debugged = try DebuggedProgram(["run", "hello"])
    let attributes = try FileManager.default.attributesOfItem(atPath: debugged.socket)
    #expect(attributes[.type] as? FileAttributeType == .typeSocket)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    debugged.program.signal(signal)
    let result = try debugged.program.result()
    #expect(result.status == status)
    #expect(result.errors == "lapwing: the guest waits for gdb: target remote \(debugged.socket)\n")
    #expect(!FileManager.default.fileExists(atPath: debugged.socket))
  }

  @Test func `port 0 is one that is free, and the same one again is refused`() throws {
    let first = try Program(["run", "hello", "--gdb", "0"])
    #expect(first.wait { first.errorsSoFar.hasSuffix("\n") })
    let port = first.errorsSoFar.split(separator: ":").last.flatMap { Int($0.dropLast()) } ?? 0
    #expect(port > 1023)
    let second = try Program.run(["run", "hello", "--gdb", "\(port)"])
    #expect(second.status == 69)
    #expect(second.errors.contains("another program listens at that port"))
    first.signal(SIGTERM)
    #expect(try first.result().status == 143)
  }

  @Test func `a file that is no socket is left alone`() throws {
    let file = path()
    try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    let result = try Program.run(["run", "hello", "--gdb", file])
    #expect(result.status == 65)
    #expect(result.errors.contains("there is something else, which is left alone"))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }

  @Test func `a symbolic link that leads nowhere is left alone`() throws {
    let link = path()
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path())
    defer { try? FileManager.default.removeItem(atPath: link) }
    #expect(try Program.run(["run", "hello", "--gdb", link]).status == 65)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) != "")
  }

  @Test func `a socket that somebody listens to is refused, and one that nobody does is replaced`() throws {
    let first = try DebuggedProgram(["run", "hello"])
    let second = try Program.run(["run", "hello", "--gdb", first.socket])
    #expect(second.status == 69)
    #expect(second.errors.contains("another program listens at that socket"))
    // Killed, it cannot remove its socket.
    first.program.signal(SIGKILL)
    _ = try first.program.result()
    #expect(FileManager.default.fileExists(atPath: first.socket))
    let third = try Program(["run", "hello", "--gdb", first.socket])
    #expect(third.wait { third.errorsSoFar.contains("target remote") })
    third.signal(SIGTERM)
    #expect(try third.result().status == 143)
    #expect(!FileManager.default.fileExists(atPath: first.socket))
  }

  @Test func `what cannot be is told with what to do`() throws {
    let long = try Program.run(["run", "hello", "--gdb", "/tmp/" + String(repeating: "a", count: 200)])
    #expect(long.status == 64)
    #expect(long.errors.contains("107 bytes at most"))
    let nowhere = try Program.run(["run", "hello", "--gdb", path() + "/socket"])
    #expect(nowhere.status == 65)
    #expect(nowhere.errors.contains("No such file or directory"))
    #expect(try Program.run(["run", "hello", "--gdb", "65536"]).status == 64)
    #expect(try Program.run(["run", "hello", "--gdb", ""]).status == 64)
    let both = try Program.run(["run", "hello", "--gdb", "0", "--snapshot-on", "USR1"])
    #expect(both.status == 64)
    #expect(both.errors.contains("a snapshot would have gdb's breakpoints in it"))
  }

  @Test func `a guest's file is written where it is to be, or it is said why not`() throws {
    #expect(try Program.run(["list", "--image", "hello"]).status == 64)
    #expect(try Program.run(["list", "-o", path()]).status == 64)
    let unknown = try Program.run(["list", "--image", "nobody", "-o", path()])
    #expect(unknown.status == 64)
    #expect(unknown.errors.contains("there is no built-in guest of that name"))
    let nowhere = try Program.run(["list", "--image", "hello", "-o", path() + "/file"])
    #expect(nowhere.status == 65)
    let full = try Program.run(["list", "--image", "hello", "-o", "/dev/full"])
    #expect(full.status == 65)
    #expect(full.errors.contains("No space left on device"))
  }
}
