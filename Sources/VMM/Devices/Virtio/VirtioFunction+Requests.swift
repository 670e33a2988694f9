import Glibc
import KVM
import Support
import Synchronization
import SystemPackage

/// What the device's thread does.
extension VirtioFunction {
  /// Carries the next request out, if there is one.
  ///
  /// - Returns: whether there was.
  func serveNext() -> Bool {
    state.withLock { state in
      guard state.registers.isRunning, endpoint.withLock(\.isBusMaster) else { return false }
      let usesEventIndex = state.registers.usesEventIndex
      do throws(VirtioRingError) {
        for index in state.registers.queues.indices where state.registers.queues[index].isEnabled {
          guard let chain = try state.registers.queues[index].next(memory, usesEventIndex: usesEventIndex) else {
            continue
          }
          let written = try model.carryOut(chain, memory)
          let interrupts = try state.registers.queues[index].complete(
            chain, written: written, memory, usesEventIndex: usesEventIndex)
          if interrupts { raise(state.registers.queues[index].vector, Cause.queue, &state) }
          return true
        }
      } catch {
        note(error, &state)
        demandReset(&state)
      }
      return false
    }
  }

  /// The driver has broken a queue: nothing more is done until it resets the device (section 2.1.2).
  private func demandReset(_ state: inout State) {
    state.registers.status |= VirtioRegisters.Status.needsReset
    raise(state.registers.configurationVector, Cause.configuration, &state)
    update(&state)
  }

  private func raise(_ vector: UInt16, _ cause: UInt8, _ state: inout State) {
    if vectors.isEnabled {
      vectors.raise(Int(vector))
    } else {
      state.interruptStatus |= cause
      updateLine(&state)
    }
  }

  func note(_ error: VirtioRingError, _ state: inout State) {
    state.breaks = (count: (state.breaks?.count ?? 0) + 1, first: state.breaks?.first ?? error)
  }

  /// What the driver has broken, for a person; nil where it has not.
  var complaint: String? {
    state.withLock(\.breaks).map { count, first in
      let times = count == 1 ? "" : " \(count) times, first"
      return "the driver of \(stateName) broke its queue\(times): \(first.rawValue)"
    }
  }
}

extension VirtioFunction {
  /// The types of structures (virtio 1.2, section 4.1.4). That which gives access to them through configuration space, for
  /// firmware that maps nothing, is left out.
  private enum Kind {
    static let common: UInt8 = 1
    static let notifications: UInt8 = 2
    static let interruptStatus: UInt8 = 3
    static let device: UInt8 = 4
  }

  private static let msiX: UInt8 = 0x11
  private static let vendorSpecific: UInt8 = 0x09
  private static let pageSize: UInt32 = 0x1000

  /// The capabilities, from 0x40 on: MSI-X first, then the structures, all in base address 0.
  static func capabilities(_ model: any VirtioModel, queues: Int) -> [UInt8] {
    let base = PCIEndpoint.firstCapability
    // Message control, bits 10:0, is one less than the number of vectors; then where table and pending bits are.
    var bytes: [UInt8] = [msiX, base + 0x10, UInt8(queues), 0]
    bytes.appendLittleEndian(UInt32(Structure.vectors))
    bytes.appendLittleEndian(UInt32(Structure.pending))
    bytes += [0, 0, 0, 0]
    let structures: [(kind: UInt8, offset: UInt64, size: UInt32)] = [
      (Kind.common, Structure.common, UInt32(VirtioRegisters.size)),
      (Kind.interruptStatus, Structure.interruptStatus, 4),
      (Kind.device, Structure.device, max(UInt32(model.configuration.count), 4)),
      (Kind.notifications, Structure.notifications, UInt32(Structure.notifyStride) * UInt32(queues)),
    ]
    for structure in structures {
      let isLast = structure.kind == Kind.notifications
      let next = isLast ? 0 : base + UInt8(bytes.count) + 0x10
      bytes += [vendorSpecific, next, isLast ? 20 : 16, structure.kind, 0, 0, 0, 0]
      bytes.appendLittleEndian(UInt32(structure.offset))
      bytes.appendLittleEndian(structure.size)
      if isLast { bytes.appendLittleEndian(UInt32(Structure.notifyStride)) }
    }
    return bytes
  }
}

/// The thread of a virtio device: carries requests out when the driver notifies it, one after the other, and stands still
/// between two of them while the machine is paused.
final class VirtioWorker: Sendable {
  private let function: VirtioFunction
  private let gate: PauseGate
  /// Which of those that the gate lets through.
  let index: Int
  private let wakeup: Wakeup
  private let isEnding = Atomic<Bool>(false)
  private let thread = Mutex<pthread_t?>(nil)

  /// - Throws: `Errno` where the host has no descriptor left.
  init(_ function: VirtioFunction, gate: PauseGate, index: Int) throws(Errno) {
    self.function = function
    self.gate = gate
    self.index = index
    wakeup = try Wakeup()
  }

  /// Whether there is a thread, for whose arrival at the gate a pause waits.
  var isRunning: Bool { thread.withLock { $0 != nil } }

  /// Starts the thread, which looks at the queues first of all: what was notified before a snapshot was taken is seen so.
  ///
  /// - Throws: `Errno` of pthread_create(3).
  func start() throws(Errno) {
    function.notify()
    try thread.withLock { thread throws(Errno) in
      guard thread == nil else { return }
      thread = try HostThread.start { [self] in run() }
    }
  }

  /// Has the thread look at the gate.
  func wake() { wakeup.signal() }

  /// Ends the thread once it is done with its request, and waits for that. So does a pause meanwhile (`isRunning`).
  func end() {
    isEnding.store(true, ordering: .releasing)
    wakeup.signal()
    thread.withLock { thread in
      if let thread { pthread_join(thread, nil) }
      thread = nil
    }
    function.model.end()
  }

  private func run() {
    while !isEnding.load(ordering: .acquiring) {
      guard !gate.keepsOut(index) else {
        stand()
        continue
      }
      wakeup.wait(or: function.kick.rawDescriptor)
      // Taken before the queues are looked at, so that none is lost.
      guard !gate.keepsOut(index), (try? function.kick.read()) ?? 0 > 0 else { continue }
      while !isEnding.load(ordering: .acquiring), !gate.keepsOut(index) {
        guard function.serveNext() else { break }
      }
      // What the pause cut short goes on after it.
      if gate.keepsOut(index) { function.notify() }
    }
  }

  /// Waits at the gate until the pause is over.
  private func stand() {
    gate.arrive(index)
    while !gate.leave(index, isStopped: isEnding.load(ordering: .acquiring)) { wakeup.wait() }
  }
}
