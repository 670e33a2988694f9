import Glibc
import KVM
import Support
import Synchronization
import SystemPackage

/// Messages on their way into slots: one waits for each slot that is not empty, until the guest says that it has emptied it.
final class MessageQueue: Sendable {
  private let pages: SynICPages
  private let lines: SINTLines
  /// Held while a slot or a flag is written, for which one thread at a time may.
  private let waiting = Mutex<[SynICPages.Source: HyperVMessage]>([:])

  init(pages: SynICPages, lines: SINTLines) {
    self.pages = pages
    self.lines = lines
  }

  /// Puts a message into its slot, or has it wait for that.
  func post(_ message: HyperVMessage, to source: SynICPages.Source) -> HyperVStatus {
    waiting.withLock { waiting in
      guard waiting[source] == nil else { return .insufficientBuffers }
      switch pages.post(message, to: source) {
      case .nowhere: return .invalidConnection
      case .occupied: waiting[source] = message
      case .posted: lines.raise(source)
      }
      return .success
    }
  }

  /// Sets an event's flag.
  func signal(flag: UInt64, to source: SynICPages.Source) -> HyperVStatus {
    waiting.withLock { _ in
      guard let isNew = pages.set(flag: flag, of: source) else { return .invalidConnection }
      if isNew { lines.raise(source) }
      return .success
    }
  }

  /// Tries again what waits.
  func retry() {
    waiting.withLock { waiting in
      for (source, message) in waiting {
        switch pages.post(message, to: source) {
        case .occupied: continue
        case .posted: lines.raise(source)
        // The guest has taken its page away, and with it the message.
        case .nowhere: break
        }
        waiting[source] = nil
      }
    }
  }
}

/// A message of Hyper-V's synthetic interrupt controller (Hypervisor Top-Level Functional Specification, section 11.8).
struct HyperVMessage: Hashable {
  /// A slot in the page of messages, of which each source of a vCPU has one.
  static let slotSize: UInt64 = 256
  /// Where a slot says what message is in it; 0 where it is free.
  static let typeOffset: UInt64 = 0
  /// Where a slot has its flags: bit 0 asks for an end of message, as another message waits.
  static let flagsOffset: UInt64 = 5
  static let pendingFlag: UInt8 = 1
  static let payloadLimit = 240

  let type: UInt32
  let payload: [UInt8]

  /// The parameters of HvPostMessage: to whom, and what.
  ///
  /// - Parameter bytes: all 256.
  /// - Returns: nil where the message is longer than one can be, or has no type.
  init?(posted bytes: [UInt8]) {
    type = UInt32(truncatingIfNeeded: bytes[8..<12].littleEndian)
    let count = Int(bytes[12..<16].littleEndian)
    guard type != 0, count <= Self.payloadLimit else { return nil }
    payload = Array(bytes[16..<16 + count])
  }

  /// Whom the parameters of HvPostMessage name.
  static func connection(posted bytes: [UInt8]) -> UInt32 { UInt32(truncatingIfNeeded: bytes[0..<4].littleEndian) }

  /// A slot's bytes behind its type: length, no flags, no sender, and what the message says.
  var slot: [UInt8] { [UInt8(payload.count)] + [UInt8](repeating: 0, count: 11) + payload }
  /// Where those begin.
  static let slotOffset: UInt64 = 4
}

/// A thread that does something whenever a guest says that it has emptied a slot: KVM tells of that by an eventfd alone.
final class EndOfMessageWatch: Sendable {
  private let thread: pthread_t
  private let end: Ending

  /// What tells the thread to end.
  private final class Ending: Sendable {
    let wakeup: Wakeup
    private let isOver = Mutex(false)

    init() throws(Errno) { wakeup = try Wakeup() }

    var hasCome: Bool { isOver.withLock { $0 } }

    func come() {
      isOver.withLock { $0 = true }
      wakeup.signal()
    }
  }

  /// - Throws: The error of pthread_create(3) or eventfd(2) where the host has no thread or descriptor left.
  init(_ lines: SINTLines, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let end = try Ending()
    self.end = end
    thread = try HostThread.start {
      while !end.hasCome {
        end.wakeup.wait(or: lines.ended.rawDescriptor)
        if let count = try? lines.ended.read(), count > 0 { body() }
      }
    }
  }

  deinit {
    end.come()
    pthread_join(thread, nil)
  }
}
