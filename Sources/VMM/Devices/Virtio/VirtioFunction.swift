import KVM
import Support
import Synchronization

/// A virtio device as a PCI function: the transport of virtio 1.2, section 4.1, for drivers of version 1.
///
/// One base address has the structures, the MSI-X table and the pending bits, a page each. Its registers and its requests
/// exclude one another: a driver that resets the device waits for the request that is carried out, and none is after it.
final class VirtioFunction: PCIFunction {
  /// Where the structures are, in bytes from the base address.
  enum Structure {
    static let common: UInt64 = 0x0000
    static let interruptStatus: UInt64 = 0x1000
    static let device: UInt64 = 0x2000
    static let notifications: UInt64 = 0x3000
    static let vectors: UInt64 = 0x4000
    static let pending: UInt64 = 0x5000
    /// How far apart the queues' notification addresses are.
    static let notifyStride: UInt64 = 4
  }

  /// The bits of the interrupt status (section 4.1.4.5).
  enum Cause {
    static let queue: UInt8 = 1
    static let configuration: UInt8 = 2
  }

  struct State {
    var registers: VirtioRegisters
    var interruptStatus: UInt8 = 0
    /// Where the queues' notifications signal `kick`; nil where nothing does.
    var notifiedAt: UInt64?
    var isLineHigh = false
    /// How often the driver has broken a queue, and how first; nil where it has not.
    var breaks: (count: Int, first: VirtioRingError)?
  }

  let stateName: String
  let device: VirtioDevice
  let model: any VirtioModel
  let vectors: MSIXInterrupts
  let line: UInt32
  /// Signalled for whatever may be a reason to look at the queues.
  let kick: EventDescriptor
  private let vm: VirtualMachine
  let memory: GuestMemory
  private let interrupts: InterruptController
  private let stop: StopSwitch
  /// Locked after `state`, or alone.
  let endpoint: Mutex<PCIEndpoint>
  let state: Mutex<State>

  /// - Parameters:
  ///   - index: which of the machine's devices, from 0.
  ///   - device: what it is.
  ///   - model: what it does.
  ///   - base: the devices that it is plugged in with.
  init(
    _ index: Int, _ device: VirtioDevice, _ model: any VirtioModel, on base: DefaultDevices
  ) throws(KVMError) {
    let offer = device.offer
    stateName = "\(Self.stateName)\(index)"
    self.device = device
    self.model = model
    vm = base.vm
    memory = base.memory
    interrupts = base.interrupts
    stop = base.stop
    line = VirtioPlace.firstLine + UInt32(index)
    kick = try EventDescriptor()
    interrupts.claim(kick)
    vectors = MSIXInterrupts(
      count: offer.registers.vectorCount, firstGSI: VirtioPlace.firstGSI + VirtioPlace.gsis * UInt32(index),
      interrupts: interrupts)
    let identity = PCIEndpoint.Identity(
      identity: (0x1040 + UInt32(model.id)) << 16 | 0x1af4, classCode: model.classCode | 1, subsystem: 0x0040_1af4,
      memorySize: UInt32(VirtioPlace.size), capabilities: Self.capabilities(model, queues: offer.queueLimits.count))
    endpoint = Mutex(
      PCIEndpoint(
        identity: identity, memoryBase: UInt32(VirtioPlace.firstAddress + VirtioPlace.size * UInt64(index)),
        interruptLine: UInt8(line)))
    state = Mutex(State(registers: offer.registers))
  }

  func configuration(at register: UInt8) -> UInt32 {
    let table = vectors.table
    let isAsserted = state.withLock { $0.interruptStatus != 0 && !table.isEnabled }
    return endpoint.withLock { $0.read(register, messageControl: table.control, isAsserted: isAsserted) }
  }

  func configure(_ value: UInt32, mask: UInt32, at register: UInt8) {
    state.withLock { state in
      if register == PCIEndpoint.firstCapability {
        // Message control is the upper half, of which a byte alone may be written.
        let new = vectors.table.control << 16 & ~mask | value & mask
        vectors.setControl(isEnabled: new >> 31 & 1 != 0, isMasked: new >> 30 & 1 != 0)
      } else {
        endpoint.withLock { $0.write(value, mask: mask, to: register) }
      }
      update(&state)
    }
  }

  func region(at address: UInt64, space: PCISpace) -> (device: any BusDevice, start: UInt64)? {
    guard space == .memory else { return nil }
    let start: UInt64? = endpoint.withLock { $0.holds(address) ? UInt64($0.memoryBase) : nil }
    return start.map { (Registers(function: self), $0) }
  }

  /// Takes what follows from a change: where notifications lead, the line, and perhaps there is something to do.
  func update(_ state: inout State) {
    let (base, isBusMaster) = endpoint.withLock {
      ($0.decodesMemory ? UInt64($0.memoryBase) : nil, $0.isBusMaster)
    }
    let wanted = state.registers.isRunning ? base.flatMap { Self.isInWindow($0) ? $0 : nil } : nil
    if wanted != state.notifiedAt { moveNotifications(to: wanted, &state) }
    updateLine(&state)
    if state.registers.isRunning, isBusMaster { notify() }
  }

  private static func isInWindow(_ base: UInt64) -> Bool {
    VirtioPlace.window.contains(base) && base + VirtioPlace.size <= VirtioPlace.window.upperBound
  }

  /// Has KVM answer notifications by itself (KVM_IOEVENTFD). Where it refuses, as for a driver that has put two functions at
  /// one place, they leave the guest and come to the same (`Registers`).
  private func moveNotifications(to base: UInt64?, _ state: inout State) {
    for queue in state.registers.queues.indices {
      let offset = Structure.notifications + Structure.notifyStride * UInt64(queue)
      if let old = state.notifiedAt { try? vm.deassignIOEvent(kick, at: .mmio(old + offset)) }
      if let base { try? vm.assignIOEvent(kick, at: .mmio(base + offset)) }
    }
    state.notifiedAt = base
  }

  /// What the line is at, as long as nothing changes.
  func lineLevel(_ state: State) -> Bool {
    state.interruptStatus != 0 && !vectors.isEnabled && !endpoint.withLock(\.disablesLine)
  }

  func updateLine(_ state: inout State) {
    let level = lineLevel(state)
    guard level != state.isLineHigh else { return }
    state.isLineHigh = level
    do throws(KVMError) {
      try interrupts.setLine(line, to: level)
    } catch {
      stop.stop(.runFailed(error, vcpu: 0))
    }
  }

  /// Has the device's thread look at the queues.
  func notify() {
    // A counter that is full is a signal too.
    try? kick.write()
  }

  private func read(_ offset: UInt64, width: Int) -> UInt64 {
    let place = offset & 0xfff
    switch offset & ~0xfff {
    case Structure.common: return state.withLock { $0.registers.read(at: place, width: width) }
    case Structure.interruptStatus where place == 0:
      // Reading takes it back.
      return state.withLock { state in
        let causes = state.interruptStatus
        state.interruptStatus = 0
        updateLine(&state)
        return UInt64(causes)
      }
    case Structure.device:
      return model.configuration.dropFirst(Int(place)).prefix(width).littleEndian
    case Structure.vectors: return vectors.read(at: place, width: width)
    case Structure.pending where place < 8: return vectors.table.pending >> (8 * place)
    default: return 0
    }
  }

  private func write(_ value: UInt64, at offset: UInt64, width: Int) {
    let place = offset & 0xfff
    switch offset & ~0xfff {
    case Structure.common:
      state.withLock { state in
        let before = state.registers.status
        state.registers.write(value, at: place, width: width, memorySize: memory.size)
        if state.registers.status & ~before & VirtioRegisters.Status.needsReset != 0 { note(.ring, &state) }
        if state.registers.status == 0 {
          state.interruptStatus = 0
          vectors.clearPending()
        }
        update(&state)
      }
    case Structure.notifications: notify()
    case Structure.vectors: vectors.write(value, at: place, width: width)
    default: break
    }
  }

  /// What the base address leads to.
  private struct Registers: BusDevice {
    let function: VirtioFunction
    func read(_ access: BusAccess) -> UInt64 { function.read(access.offset, width: access.width) }
    func write(_ value: UInt64, _ access: BusAccess) { function.write(value, at: access.offset, width: access.width) }
  }
}
