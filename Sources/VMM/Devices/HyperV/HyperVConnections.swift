import KVM
import Synchronization
import SystemPackage

/// What a hypercall comes to (Hypervisor Top-Level Functional Specification, appendix B).
enum HyperVStatus: UInt64 {
  case success = 0
  case invalidCode = 2
  case invalidInput = 3
  case invalidAlignment = 4
  case insufficientMemory = 11
  case invalidPort = 17
  case invalidConnection = 18
  case insufficientBuffers = 19
}

/// The hypercalls of Hyper-V that KVM leaves to user space, HvPostMessage and HvSignalEvent, and whom they reach: a
/// connection leads to a source of a vCPU's synthetic interrupt controller (Hypervisor Top-Level Functional Specification,
/// section 11).
final class HyperVConnections: Sendable {
  /// What goes over a connection.
  enum Kind: Hashable, Sendable {
    case messages
    case events
  }

  private struct Connection {
    let kind: Kind
    let source: SynICPages.Source
  }

  private enum Code {
    static let postMessage: UInt16 = 0x5c
    static let signalEvent: UInt16 = 0x5d
  }

  /// A connection's number is below this.
  private static let limit: UInt64 = 1 << 24
  private static let parameterSize = 256

  private let memory: GuestMemory
  private let pages: SynICPages
  private let lines: SINTLines
  private let queue: MessageQueue
  private let connections = Mutex<[UInt32: Connection]>([:])
  /// From the first connection for messages on.
  private let watch = Mutex<EndOfMessageWatch?>(nil)

  init(
    vm: VirtualMachine, vcpus: [VCPU], memory: GuestMemory, interrupts: InterruptController
  ) throws(KVMError) {
    self.memory = memory
    pages = try SynICPages(memory: memory, vcpus: vcpus)
    lines = try SINTLines(vm: vm, interrupts: interrupts)
    queue = MessageQueue(pages: pages, lines: lines)
  }

  /// Takes what KVM says of a vCPU's controller.
  func note(_ registers: SynICRegisters, vcpu: Int) { pages.note(registers, vcpu: vcpu) }

  /// Sees to it that a source can be raised.
  func addLine(_ source: SynICPages.Source) throws(KVMError) { try lines.add(source) }

  /// Interrupts a source's vCPU.
  func raise(_ source: SynICPages.Source) { lines.raise(source) }

  /// Makes a connection, in place of one with that number.
  ///
  /// - Throws: `KVMError` for what KVM refuses, and where the host has no thread or descriptor left.
  func connect(_ number: UInt32, _ kind: Kind, to source: SynICPages.Source) throws(KVMError) {
    try lines.add(source, isWatched: kind == .messages)
    if kind == .messages {
      try watch.withLock { watch throws(KVMError) in
        guard watch == nil else { return }
        do throws(Errno) {
          watch = try EndOfMessageWatch(lines) { [queue] in queue.retry() }
        } catch {
          throw KVMError(call: .eventfd, errno: error)
        }
      }
    }
    connections.withLock { $0[number] = Connection(kind: kind, source: source) }
  }

  /// Takes a connection away.
  func disconnect(_ number: UInt32) { connections.withLock { $0[number] = nil } }

  /// Carries out a call of a vCPU's.
  func answer(_ call: HyperVCall, vcpu: Int) -> HyperVStatus {
    guard pages.isOn(vcpu) else { return .invalidCode }
    switch call.code {
    case Code.postMessage: return postMessage(call)
    case Code.signalEvent: return signalEvent(call)
    default: return .invalidCode
    }
  }

  private func postMessage(_ call: HyperVCall) -> HyperVStatus {
    guard !call.isFast else { return .invalidCode }
    let address = call.parameters[0]
    guard address % 8 == 0 else { return .invalidAlignment }
    guard let bytes = try? memory.read(Self.parameterSize, at: address) else { return .insufficientMemory }
    guard let message = HyperVMessage(posted: bytes) else { return .invalidInput }
    guard let source = source(of: UInt64(HyperVMessage.connection(posted: bytes)), .messages) else {
      return .invalidConnection
    }
    return queue.post(message, to: source)
  }

  private func signalEvent(_ call: HyperVCall) -> HyperVStatus {
    var event = call.parameters[0]
    if !call.isFast {
      guard event % 8 == 0 else { return .invalidAlignment }
      guard let value = try? memory.load(UInt64.self, at: event) else { return .insufficientMemory }
      event = value
    }
    // Bits 47:32 count flags of one connection, of which each has one here: its own number's.
    guard event >> 32 & 0xffff == 0 else { return .invalidPort }
    guard event < Self.limit else { return .invalidInput }
    guard let source = source(of: event, .events) else { return .invalidConnection }
    return queue.signal(flag: event % 2048, to: source)
  }

  private func source(of number: UInt64, _ kind: Kind) -> SynICPages.Source? {
    guard let connection = connections.withLock({ $0[UInt32(truncatingIfNeeded: number)] }) else { return nil }
    return connection.kind == kind ? connection.source : nil
  }
}
