import FloorMachine
import KVM
import Synchronization
import VMM

/// The loop that a Lapwing machine's vCPU thread runs, as far as ports go: the vCPU's exit, the bus, a device.
final class LapwingLoop {
  private let vcpu: VCPU
  private let ports: Bus
  private let device = LastValue()

  /// The machine of the floor, built with Lapwing's library.
  init() throws(Failure) {
    do {
      vcpu = try Self.makeVCPU()
      let port = UInt64(FLOOR_PORT_LOOP_PORT)
      ports = try Bus(name: "port", devices: [(port..<port + 1, device)])
    } catch {
      throw Failure(message: "lapwing: \(error)", status: Failure.hostCannot)
    }
  }

  private static func makeVCPU() throws -> VCPU {
    let system = try KVM.open()
    let vm = try system.createVM()
    try vm.createIRQChip()
    try vm.createPIT()
    try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk])
    let memory = try GuestRegion(size: 64 << 20)
    try memory.mapping.copy(from: Self.code.span, at: Int(FLOOR_PORT_LOOP_ADDRESS))
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: memory)
    let vcpu = try vm.createVCPU(id: 0)
    try vcpu.setCPUID(try system.supportedCPUID())
    var special = try vcpu.specialRegisters()
    special.cs.base = 0
    special.cs.selector = 0
    try vcpu.setSpecialRegisters(special)
    var registers = Registers()
    registers.rip = UInt64(FLOOR_PORT_LOOP_ADDRESS)
    try vcpu.setRegisters(registers)
    return vcpu
  }

  private static var code: [UInt8] {
    let code = floor_port_loop
    return [code.0, code.1, code.2, code.3]
  }

  /// Answers that many exits.
  func nanosecondsPerExit(_ exits: UInt32) throws(Failure) -> Double {
    // On Linux this clock is CLOCK_MONOTONIC, which the floor goes by too.
    let start = SuspendingClock.now
    let unexpected: Exit?
    do throws(KVMError) {
      unexpected = try answer(exits)
    } catch {
      throw Failure(message: "lapwing: \(error)", status: Failure.internalFault)
    }
    if let unexpected {
      throw Failure(message: "lapwing: the port loop left the guest with \(unexpected)", status: Failure.internalFault)
    }
    return (SuspendingClock.now - start) / .nanoseconds(1) / Double(exits)
  }

  /// The loop itself. Returns the exit that it cannot answer, if there is one.
  private func answer(_ exits: UInt32) throws(KVMError) -> Exit? {
    var left = exits
    while left > 0 {
      switch try vcpu.run() {
      case .io(let access) where access.direction == .write && access.count == 1:
        ports.write(UInt64(access.value), at: UInt64(access.port), width: Int(access.width), vcpu: 0)
        left -= 1
      case .interrupted: break
      case let exit: return exit
      }
    }
    return nil
  }
}

/// A device that keeps what was written last.
private final class LastValue: BusDevice {
  private let value = Atomic<UInt64>(0)

  func read(_ access: BusAccess) -> UInt64 { value.load(ordering: .relaxed) }
  func write(_ value: UInt64, _ access: BusAccess) { self.value.store(value, ordering: .relaxed) }
}
