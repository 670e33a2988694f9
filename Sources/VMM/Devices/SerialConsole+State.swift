import Synchronization

extension SerialConsole {
  static let stateName = "serial"

  /// What its registers hold.
  func save() -> DeviceState {
    state.withLock { state in
      DeviceState(
        name: Self.stateName,
        fields: [
          "registers": state.registers.indices.map { UInt64(state.registers[$0]) },
          "divisor": state.divisor.indices.map { UInt64(state.divisor[$0]) },
        ])
    }
  }

  /// Puts back what they held.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let restored = try State(saved)
    state.withLock { $0 = restored }
  }
}

extension SerialConsole.State {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    let registers = try saved.values("registers", count: 8, upTo: 0xff)
    let divisor = try saved.values("divisor", count: 2, upTo: 0xff)
    for index in self.registers.indices { self.registers[index] = UInt8(truncatingIfNeeded: registers[index]) }
    for index in self.divisor.indices { self.divisor[index] = UInt8(truncatingIfNeeded: divisor[index]) }
  }
}
