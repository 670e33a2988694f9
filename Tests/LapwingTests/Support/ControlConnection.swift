import Foundation
import Testing

/// A client of the control socket, as a program of its user's.
final class ControlConnection {
  private let descriptor: Int32
  private var rest: [UInt8] = []

  /// Connects to the socket at a path, whose file is there a moment before anybody listens: what is refused is tried again.
  init(_ path: String) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    try #require(bytes.count < 108)
    // Sound: the path fits, as was just checked, and both calls stay in the one structure.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    var answer: Int32
    repeat {
      answer = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    } while answer < 0 && errno == ECONNREFUSED && ContinuousClock.now < deadline
    try #require(answer == 0, "connect(2) failed with errno \(errno)")
    // What does not come within a minute does not come at all.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    // Sound: the call reads the one structure.
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// Sends bytes as they are; waits for nobody where `patient` is false.
  ///
  /// - Returns: how many went out; -1 for none.
  @discardableResult
  func send(_ bytes: [UInt8], patient: Bool = true) -> Int {
    // Sound: the array is valid during the call.
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe Glibc.send(
        descriptor, bytes.baseAddress, bytes.count,
        Int32(MSG_NOSIGNAL) | (patient ? 0 : Int32(MSG_DONTWAIT)))
    }
  }

  /// Says that nothing more comes.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next line; nil at the end.
  func line() -> String? {
    while true {
      if let end = rest.firstIndex(of: 0x0a) {
        defer { rest.removeFirst(end + 1) }
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      var piece = [UInt8](repeating: 0, count: 65536)
      // Sound: the call writes at most as many bytes as the array has.
      let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { return nil }
      rest += piece[..<count]
    }
  }

  /// Asks, and waits for the answer.
  func ask(_ request: String) -> String? {
    send(Array((request + "\n").utf8))
    return line()
  }
}
