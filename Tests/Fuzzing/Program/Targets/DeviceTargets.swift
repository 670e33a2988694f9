import GuestContract

@testable import VMM

/// Devices, by what a guest does to their registers and puts into its memory.
extension FuzzTarget {
  private static let memorySize: UInt64 = 1 << 20

  /// fw_cfg, with transfers from and to a guest's memory.
  static let firmware = FuzzTarget("fw-cfg", seeds: [[0x10, 2, 0x19, 0, 0x11, 0, 0x14, 3, 0x18, 3]]) { bytes in
    guard let memory = try? GuestMemory(size: memorySize) else { return }
    let firmware = FirmwareConfiguration(items: FirmwareItems(memory: memory, vcpus: 2), memory: memory)
    guard let bus = try? Bus(name: "port", devices: firmware.portDevices) else { return }
    var input = InputReader(bytes)
    while !input.isAtEnd {
      let kind = input.next(UInt8.self)
      let place = 0x510 + UInt64(input.next(UInt8.self) & 15)
      let width = input.width()
      switch kind & 3 {
      case 0: bus.write(input.next(), at: place, width: width, vcpu: 0)
      case 1: _ = bus.read(at: place, width: width, vcpu: 0)
      // What a transfer is described by.
      default: try? memory.store(input.next(UInt64.self), at: 8 * UInt64(input.next(UInt8.self)))
      }
    }
  }

  /// A PCI function's configuration and its MSI-X table.
  static let pci = FuzzTarget("pci", seeds: [[0, 4, 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 2, 1, 2, 3, 4]]) {
    bytes in
    var endpoint = PCIEndpoint(
      identity: PCIEndpoint.Identity(
        identity: 0x1044_1af4, classCode: 0x00ff_0000, subsystem: 0x0004_1af4, memorySize: 0x8000,
        capabilities: [0x11, 0, 1, 0, 0, 0x40, 0, 0, 0, 0x60, 0, 0]), memoryBase: 0xfea0_0000, interruptLine: 16)
    var table = MSIXTable(count: 2)
    var input = InputReader(bytes)
    while !input.isAtEnd {
      let kind = input.next(UInt8.self)
      let place = input.next(UInt16.self)
      switch kind & 7 {
      case 0: endpoint.write(input.next(), mask: input.next(), to: UInt8(truncatingIfNeeded: place) & 0xfc)
      case 1:
        _ = endpoint.read(
          UInt8(truncatingIfNeeded: place) & 0xfc, messageControl: table.control, isAsserted: place > 255)
      case 2: _ = table.write(input.next(), at: UInt64(place), width: input.width())
      case 3: _ = table.read(at: UInt64(place), width: input.width())
      case 4: _ = table.raise(Int(place) % 2)
      case 5: _ = table.setControl(isEnabled: place & 1 != 0, isMasked: place & 2 != 0)
      case 6: _ = endpoint.holds(input.next())
      default: table.clearPending()
      }
    }
  }

  /// The registers of a virtio device.
  static let virtioRegisters = FuzzTarget("virtio-registers", seeds: [[0, 0x14, 0, 0xf, 0, 0, 0, 0, 0, 0, 0]]) {
    bytes in
    var registers = VirtioEntropy.offer.registers
    var input = InputReader(bytes)
    while !input.isAtEnd {
      let isWrite = input.next(UInt8.self) & 1 == 0
      let place = UInt64(input.next(UInt8.self))
      let width = input.width()
      if isWrite {
        registers.write(input.next(), at: place, width: width, memorySize: memorySize)
      } else {
        _ = registers.read(at: place, width: width)
      }
    }
  }

  /// A virtio queue whose rings are the input, served by a virtio-rng.
  static let virtioRing = FuzzTarget("virtio-ring", seeds: ringSeeds) { bytes in
    guard let memory = try? GuestMemory(size: memorySize) else { return }
    var input = InputReader(bytes)
    let flags = input.next(UInt8.self)
    var queue = VirtioQueue(limit: VirtioEntropy.offer.queueLimits[0])
    (queue.descriptors, queue.driverArea, queue.deviceArea) = (0x1000, 0x2000, 0x3000)
    // Descriptors first, then the available ring, each where it belongs.
    let rest = input.remainder()
    try? memory.write(Array(rest.prefix(1024)), at: 0x1000)
    try? memory.write(Array(rest.dropFirst(1024).prefix(256)), at: 0x2000)
    let usesEventIndex = flags & 1 != 0
    let device = VirtioEntropy()
    do {
      // A ring has at most as many as its index counts.
      for _ in 0..<256 {
        guard let chain = try queue.next(memory, usesEventIndex: usesEventIndex) else { break }
        _ = try? chain.read(64, at: 3, memory)
        let written = try device.carryOut(chain, memory)
        _ = try queue.complete(chain, written: written, memory, usesEventIndex: usesEventIndex)
      }
    } catch {
      // The device wants a reset.
    }
  }

  private static let ringSeeds: [[UInt8]] = {
    // Two descriptors that the device writes, the first of which leads to the second; one chain that is available.
    var bytes: [UInt8] =
      [0] + [0, 0x80, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 3, 0, 1, 0] + [0, 0x90, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0]
    bytes += [UInt8](repeating: 0, count: 1025 - bytes.count) + [0, 0, 1, 0, 0, 0]
    return [bytes]
  }()

  /// What a guest writes down, in the log and in the mailbox.
  static let log = FuzzTarget("log", seeds: [[4, 0, 0, 0, 0, 0, 0, 0]]) { bytes in
    guard let memory = try? GuestMemory(size: memorySize),
      let layout = BootLayout(top: memory.lowSize, vcpus: 2, logCapacity: 16)
    else { return }
    let log = GuestLog(memory: memory, layout: layout)
    try? memory.store(UInt32(LAPWING_BOOT_MAGIC), at: layout.bootPage)
    try? memory.write(bytes, at: layout.log)
    for record in log.next() { _ = record.event }
    _ = log.droppedRecords
    _ = log.interrupts(since: 0, before: .max)
    _ = try? AgentMailbox(memory: memory, address: layout.log).answer()
  }
}
