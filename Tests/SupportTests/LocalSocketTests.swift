import Foundation
import Support
import SystemPackage
import Testing

@Suite struct LocalSocketTests {
  private func path() -> FilePath {
    FilePath(FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString.prefix(8))").path)
  }

  private func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

  @Test func `what one end sends the other receives, until it has gone`() throws {
    let (here, there) = try LocalConnection.pair()
    #expect(there.receive() == [])
    let wasSent = here.send(Array("abc".utf8))
    #expect(wasSent)
    #expect(try Readiness.wait(for: [nil, there.rawDescriptor, here.rawDescriptor]) == [false, true, false])
    #expect(there.receive(atMost: 2) == Array("ab".utf8))
    #expect(there.receive() == Array("c".utf8))
  }

  @Test func `an end whose other end has gone receives and sends no more`() throws {
    var ends: (LocalConnection, LocalConnection)? = try LocalConnection.pair()
    let rest = try #require(ends?.1)
    ends = nil
    #expect(rest.receive() == nil)
    let wasSent = rest.send([1])
    #expect(!wasSent)
  }

  @Test func `an end that takes nothing is waited for until the deadline or the call to stop`() throws {
    let (here, there) = try LocalConnection.pair()
    let flood = [UInt8](repeating: 0, count: 16 << 20)
    let inTime = here.send(flood, until: .now + .milliseconds(20))
    #expect(!inTime)
    let stop = try Wakeup()
    stop.signal()
    let uncancelled = here.send(flood, unless: stop.rawDescriptor)
    #expect(!uncancelled)
    withExtendedLifetime(there) {}
  }

  @Test func `a port that is free is found, and it is taken then`() throws {
    let listener = try LocalListener(.port(0))
    guard case .port(let port) = listener.address else { throw Errno.invalidArgument }
    #expect(port > 0)
    #expect(try listener.accept() === nil)
    #expect(throws: Errno.addressInUse) { try LocalListener(.port(port)) }
  }

  @Test func `a socket's file is its user's alone, and goes with the listener`() throws {
    let path = path()
    let listener = try LocalListener(.path(path))
    #expect(try FileManager.default.attributesOfItem(atPath: path.string)[.posixPermissions] as? Int == 0o600)
    #expect(throws: Errno.addressInUse) { try LocalListener(.path(path)) }
    listener.close()
    #expect(!exists(path))
    listener.close()
  }

  @Test func `what has come in the place of a socket's file stays`() throws {
    let path = path()
    let listener = try LocalListener(.path(path))
    try FileManager.default.removeItem(atPath: path.string)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path.string))
    listener.close()
    #expect(exists(path))
    #expect(throws: Errno.fileExists) { try LocalListener(.path(path)) }
    try FileManager.default.removeItem(atPath: path.string)
  }

  @Test func `a path that is too long is refused`() throws {
    #expect(throws: Errno.fileNameTooLong) {
      try LocalListener(.path(FilePath("/tmp/" + String(repeating: "a", count: 103))))
    }
  }
}
