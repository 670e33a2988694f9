import APIC
import GuestContract
import KVM
import SystemPackage

/// The port through which a guest of Lapwing's talks to its host (GuestContract): it is ready, it has come to a mark, it
/// has ended, or it asks for an interrupt from outside.
final class CommandPort: BusDevice {
  static let ports = UInt64(LAPWING_COMMAND_PORT)..<UInt64(LAPWING_COMMAND_PORT) + 4

  private let memory: GuestMemory
  private let layout: BootLayout
  private let log: GuestLog
  private let interrupts: InterruptController
  private let progress: GuestProgress
  private let stop: StopSwitch

  init(
    memory: GuestMemory, layout: BootLayout, interrupts: InterruptController, progress: GuestProgress, stop: StopSwitch
  ) {
    self.memory = memory
    self.layout = layout
    log = GuestLog(memory: memory, layout: layout)
    self.interrupts = interrupts
    self.progress = progress
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { 0 }

  func write(_ value: UInt64, _ access: BusAccess) {
    let word = UInt32(truncatingIfNeeded: value)
    switch Command(rawValue: word & 0xff) {
    case .ready: progress.ready()
    case .mark: progress.reached(word >> 8)
    case .finish: stop.stop(.finished(status: word >> 8, vcpu: access.vcpu))
    case .request: answer(vcpu: access.vcpu)
    case .marked: told(ofMark: UInt64(word >> 8))
    default: progress.misunderstood()
    }
  }

  private func told(ofMark index: UInt64) {
    if let label = log.mark(at: index) { progress.marked(label) } else { progress.misunderstood() }
  }

  /// Carries out the request of a vCPU and writes the answer beside it. What a guest asks wrongly is answered with a
  /// negative errno, as a system call would.
  private func answer(vcpu: Int) {
    let place = layout.requests + UInt64(vcpu * MemoryLayout<HostRequest>.stride)
    guard let request = try? memory.loadStructure(HostRequest.self, at: place) else { return }
    let result: Int64
    do {
      result = try carryOut(request)
    } catch {
      result = -Int64(error.errno.rawValue)
    }
    try? memory.store(result, at: place + UInt64(MemoryLayout<HostRequest>.stride - MemoryLayout<Int64>.size))
  }

  private func carryOut(_ request: HostRequest) throws(KVMError) -> Int64 {
    let message = MSIMessage(address: request.address, data: request.data)
    switch request.kind {
    case .signalMSI:
      return try interrupts.signal(message) == .delivered ? 1 : 0
    case .setLine:
      return switch try interrupts.setLine(request.gsi, to: request.level != 0) {
      case .delivered(let count): Int64(count)
      case .coalesced: 0
      case .ignored: -1
      }
    case .routeMSI:
      try interrupts.route(request.gsi, to: message)
      return 0
    case .triggerIRQFD:
      try interrupts.trigger(irqfd: request.gsi)
      return 0
    case .assignIOEvent:
      try interrupts.assignIOEvent(
        port: UInt16(truncatingIfNeeded: request.data), irqfd: request.level == 0 ? nil : request.gsi)
      return 0
    default:
      return -Int64(Errno.invalidArgument.rawValue)
    }
  }
}

/// QEMU's isa-debug-exit: a guest that writes to it ends, 0 meaning success here.
public final class DebugExitPort: BusDevice {
  /// Where guests look for it.
  public static let ports: Range<UInt64> = 0xf4..<0xf8

  /// The exit status that QEMU makes of a written value: never 0, and at most 255.
  public static func status(of value: UInt32) -> Int32 { Int32((value << 1 | 1) & 0xff) }

  private let stop: StopSwitch

  /// A port that stops the machine.
  public init(stop: StopSwitch) {
    self.stop = stop
  }

  /// QEMU's device reads as zero.
  public func read(_ access: BusAccess) -> UInt64 { 0 }

  /// Ends the guest with `value`.
  public func write(_ value: UInt64, _ access: BusAccess) {
    stop.stop(.debugExit(value: UInt32(truncatingIfNeeded: value), vcpu: access.vcpu))
  }
}
