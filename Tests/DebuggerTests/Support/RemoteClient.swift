import Debugger
import Foundation
import Support
import Testing

/// One who speaks the protocol, byte by byte where a test wants that.
final class RemoteClient {
  private let descriptor: Int32
  private var parser = PacketParser()
  private var bytes: [UInt8] = []
  /// What has come and was not asked for yet.
  private(set) var events: [PacketParser.Event] = []

  /// Connects to a port of this host.
  init(to address: LocalListener.Address) throws {
    guard case .port(let port) = address else { throw RemoteClientError.noPort }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    // Sound: the call reads the one structure, as long as it is said to be.
    let answer = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard answer == 0 else { throw RemoteClientError.refused }
  }

  deinit { close(descriptor) }

  enum RemoteClientError: Error {
    case noPort, refused, closed, late
  }

  /// Sends bytes as they are.
  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Sound: the buffer is valid during the call.
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Sends text as it is.
  func send(_ text: String) { send(Array(text.utf8)) }

  /// Takes the next thing that comes, at most for a minute.
  func next() throws -> PacketParser.Event {
    let deadline = ContinuousClock.now + .seconds(60)
    while events.isEmpty {
      try #require(ContinuousClock.now < deadline, "nothing came within a minute")
      guard try Readiness.wait(for: [descriptor], until: deadline)[0] else { continue }
      var buffer = [UInt8](repeating: 0, count: 4096)
      // Sound: the call writes at most as many bytes as the buffer has.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { throw RemoteClientError.closed }
      for byte in buffer.prefix(count) { if let event = parser.take(byte) { events.append(event) } }
    }
    return events.removeFirst()
  }

  /// Takes the next packet, with what comes before it passed over, and acknowledges it.
  func packet() throws -> String {
    while true {
      guard case .packet(let body) = try next() else { continue }
      send("+")
      return String(decoding: body, as: UTF8.self)
    }
  }

  /// Asks and takes the answer.
  func ask(_ text: String) throws -> String {
    send(Packet.framed(Array(text.utf8)))
    return try packet()
  }

  /// Whether the other end has closed, or closes within a minute.
  func isClosed() throws -> Bool {
    do {
      while true { _ = try next() }
    } catch RemoteClientError.closed {
      return true
    }
  }
}

extension RemoteClient {
  /// Where the selected vCPU is: RIP, as gdb is told it.
  func pc() throws -> UInt64 {
    let bytes = try #require(Hexadecimal.bytes(try ask("p10")))
    return bytes.littleEndian
  }
}
