import Foundation
import Testing

/// `lapwing run` with a guest that takes whatever it is sent, for `lapwing watch` to look at.
final class WatchedGuest {
  let program: Program
  private let folder = try? Folder()
  private let socket: String
  private let messages: Int

  /// Starts it, and waits until its guest takes interrupts.
  ///
  /// - Parameter messages: how many are sent to vCPU 0 later on, of vector 0x60.
  init(messages: Int) throws {
    self.messages = messages
    socket = FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString.prefix(8))").path
    let program = try Program([
      "run", "agent", "--append", "x2apic start interrupts", "--vcpus", "2", "--control", socket, "--timeout", "150s",
      "--quiet",
    ])
    self.program = program
    let socket = socket
    try #require(program.wait { FileManager.default.fileExists(atPath: socket) }, "\(program.errorsSoFar)")
    // Once its local APIC takes a message it takes all.
    let client = try ControlConnection(socket)
    try #require(
      program.wait {
        client.ask(#"{"verb":"msi","address":"0xfee00000","data":"0x61"}"#)?.contains("delivered") == true
      }, "\(program.errorsSoFar)")
  }

  deinit { program.signal(SIGTERM) }

  /// Sends the messages one by one, and ends the machine.
  ///
  /// - Returns: how many KVM delivered.
  func send() throws -> Int {
    let client = try ControlConnection(socket)
    var delivered = 0
    for _ in 0..<messages {
      let answer = try #require(client.ask(#"{"verb":"msi","address":"0xfee00000","data":"0x60"}"#))
      // One that is coalesced in the IRR is accepted all the same.
      if answer.contains("delivered") || answer.contains("coalesced") { delivered += 1 }
    }
    _ = client.ask(#"{"verb":"stop"}"#)
    return delivered
  }

  /// Waits until a program that sums up what it sees (`--for`) says that it watches.
  func isWatched(by watcher: Program) -> Bool {
    watcher.wait { watcher.errorsSoFar.contains("watching lapwing \(program.id)/") }
  }
}

/// What a line of `lapwing watch --format json` says.
struct WatchLine: Decodable {
  struct Interrupt: Decodable {
    struct Source: Decodable { var source: String? }

    var vcpu: Int
    var vector: Int
    var accepted: Int
    private var sourceList: [Source]
    var sources: [String?] { sourceList.map(\.source) }

    enum CodingKeys: String, CodingKey {
      case vcpu, vector, accepted
      case sourceList = "sources"
    }
  }

  struct VCPU: Decodable { var id: Int }

  var schema: String
  var process: Int32
  var program: String
  var hasEnded: Bool
  var lost: Int
  var ambiguous: Int
  var interrupts: [Interrupt]
  private var vcpuList: [VCPU]
  var vcpus: [Int] { vcpuList.map(\.id) }

  enum CodingKeys: String, CodingKey {
    case schema, process, program, hasEnded, interrupts
    case lost = "lostEvents"
    case ambiguous = "ambiguousEvents"
    case vcpuList = "vcpus"
  }

  init(_ line: Substring) throws { self = try JSONDecoder().decode(Self.self, from: Data(line.utf8)) }
}
