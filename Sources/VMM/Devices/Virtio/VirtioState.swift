import Synchronization

/// What a virtio device holds: the registers of its function, of its transport and of its queues. What is in the rings is in
/// guest memory, and its thread looks at them again after a restore: so a notification that nobody took needs no word.
struct VirtioState: Hashable, Sendable {
  var command: UInt32
  var memoryBase: UInt32
  var interruptLine: UInt8
  var table: MSIXTable
  var registers: VirtioRegisters
  var interruptStatus: UInt8
  /// How many sectors a disk has; the file that is named for it must have as many.
  var sectors: UInt64?

  /// The state as it is kept.
  func saved(as name: String) -> DeviceState {
    var fields: [String: [UInt64]] = [
      "pci": [UInt64(command), UInt64(memoryBase), UInt64(interruptLine)],
      "msix": table.values,
      "registers": [
        UInt64(registers.deviceFeatureSelect), UInt64(registers.driverFeatureSelect), registers.features,
        UInt64(registers.configurationVector), UInt64(registers.status), UInt64(registers.queueSelect),
        UInt64(interruptStatus),
      ],
      "queues": registers.queues.flatMap(\.values),
    ]
    if let sectors { fields["sectors"] = [sectors] }
    return DeviceState(name: name, fields: fields)
  }
}

extension VirtioState {
  /// Reads a state that was kept.
  ///
  /// - Parameters:
  ///   - saved: what was kept.
  ///   - device: the device that it is of.
  ///   - memorySize: the size of guest memory, in bytes.
  /// - Throws: `DeviceStateError` for what no such device can hold.
  init(_ saved: DeviceState, of device: VirtioDevice, memorySize: UInt64) throws(DeviceStateError) {
    func refuse(_ field: String, _ problem: String) -> DeviceStateError {
      DeviceStateError(device: saved.name, field: field, problem: problem)
    }
    let pci = try saved.values("pci", count: 3, upTo: UInt64(UInt32.max))
    (command, memoryBase) = (UInt32(pci[0]), UInt32(pci[1]))
    interruptLine = UInt8(truncatingIfNeeded: pci[2])
    registers = device.offer.registers
    guard let table = MSIXTable(values: saved.fields["msix"] ?? [], count: registers.vectorCount) else {
      throw refuse("msix", "it is no MSI-X table of \(registers.vectorCount) vectors")
    }
    self.table = table
    let values = try saved.values("registers", count: 7)
    guard values[2] & ~registers.offered == 0, [0, 1].allSatisfy({ values[$0] <= UInt64(UInt32.max) }),
      [3, 5].allSatisfy({ values[$0] <= 0xffff }), [4, 6].allSatisfy({ values[$0] <= 0xff })
    else { throw refuse("registers", "it has values that the device cannot have") }
    (registers.deviceFeatureSelect, registers.driverFeatureSelect) = (UInt32(values[0]), UInt32(values[1]))
    registers.features = values[2]
    registers.configurationVector = UInt16(values[3])
    registers.status = UInt8(values[4])
    registers.queueSelect = UInt16(values[5])
    interruptStatus = UInt8(values[6]) & 3
    let count = VirtioQueue.valueCount
    let queues = try saved.values("queues", count: count * registers.queues.count)
    for index in registers.queues.indices {
      let words = Array(queues[(count * index)..<(count * (index + 1))])
      let limit = registers.queues[index].limit
      guard let queue = VirtioQueue(values: words, limit: limit, memorySize: memorySize) else {
        throw refuse("queues", "it has values that no queue can have, or a queue outside of guest memory")
      }
      registers.queues[index] = queue
    }
    switch device {
    case .entropy: sectors = nil
    case .disk: sectors = try saved.value("sectors")
    }
  }
}

extension VirtioFunction: StatefulDevice {
  /// The devices' numbers follow.
  static let stateName = "virtio"

  /// What it holds. While its thread stands still.
  func save() -> DeviceState {
    let endpoint = endpoint.withLock { $0 }
    return state.withLock { state in
      VirtioState(
        command: endpoint.command, memoryBase: endpoint.memoryBase, interruptLine: endpoint.interruptLine,
        table: vectors.table, registers: state.registers, interruptStatus: state.interruptStatus,
        sectors: (model as? VirtioBlock)?.file.sectors)
    }.saved(as: stateName)
  }

  /// Puts back what it held. The level of its line is part of the chips' state, where it leads to.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device, or of a disk of another size.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try VirtioState(saved, of: device, memorySize: memory.size)
    if let sectors = values.sectors, let file = (model as? VirtioBlock)?.file, file.sectors != sectors {
      throw DeviceStateError(
        device: saved.name, field: "sectors",
        problem: "the disk had \(sectors) sectors of 512 bytes, where the one that is named has \(file.sectors)")
    }
    endpoint.withLock { endpoint in
      endpoint.write(values.command, mask: .max, to: PCIRegister.command)
      endpoint.write(values.memoryBase, mask: .max, to: PCIRegister.baseAddress)
      endpoint.interruptLine = values.interruptLine
    }
    vectors.restore(values.table)
    state.withLock { state in
      state.registers = values.registers
      state.interruptStatus = values.interruptStatus
      state.isLineHigh = lineLevel(state)
      update(&state)
    }
  }
}
