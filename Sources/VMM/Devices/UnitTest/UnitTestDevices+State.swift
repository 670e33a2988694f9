import Synchronization

/// What a snapshot keeps of QEMU's and Bochs's test devices.
extension TestLatch: StatefulDevice {
  /// Its four bytes.
  func save() -> DeviceState {
    DeviceState(name: Self.stateName, fields: ["value": [UInt64(state.withLock { $0.value })]])
  }

  /// Puts them back.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    state.withLock { $0 = values }
  }

  /// What a state says that they are.
  static func values(of saved: DeviceState) throws(DeviceStateError) -> State {
    State(value: UInt32(truncatingIfNeeded: try saved.value("value", upTo: UInt64(UInt32.max))))
  }
}

extension TestMemory: StatefulDevice {
  /// Its bytes that are not 0, and where they are: most guests leave all of them alone.
  func save() -> DeviceState {
    let bytes = state.withLock { $0.bytes }
    let places = bytes.indices.filter { bytes[$0] != 0 }
    return DeviceState(
      name: Self.stateName, fields: ["places": places.map(UInt64.init), "bytes": places.map { UInt64(bytes[$0]) }])
  }

  /// Puts them back.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    state.withLock { $0 = values }
  }

  /// What a state says that they are.
  static func values(of saved: DeviceState) throws(DeviceStateError) -> State {
    var state = State()
    let count = saved.fields["places"]?.count ?? 1
    let places = try saved.values("places", count: count, upTo: UInt64(size - 1))
    for (place, byte) in zip(places, try saved.values("bytes", count: count, upTo: 0xff)) {
      state.bytes[Int(place)] = UInt8(truncatingIfNeeded: byte)
    }
    return state
  }
}

extension ShutdownPort: StatefulDevice {
  /// How much of the text has come.
  func save() -> DeviceState {
    DeviceState(name: Self.stateName, fields: ["matched": [UInt64(state.withLock { $0.matched })]])
  }

  /// Puts it back.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    state.withLock { $0 = values }
  }

  /// What a state says that it is: less than all.
  static func values(of saved: DeviceState) throws(DeviceStateError) -> State {
    State(matched: Int(try saved.value("matched", upTo: UInt64(text.count - 1))))
  }
}

extension UnitTestDevices {
  /// How the states of these devices are checked, by the devices' names.
  static let checks: [String: DeviceState.Check] = [
    FirmwareConfiguration.stateName: { (state) throws(DeviceStateError) in
      _ = try FirmwareConfiguration.values(of: state)
    },
    KeyboardController.stateName: { (state) throws(DeviceStateError) in _ = try KeyboardController.values(of: state) },
    TestLatch.stateName: { (state) throws(DeviceStateError) in _ = try TestLatch.values(of: state) },
    TestMemory.stateName: { (state) throws(DeviceStateError) in _ = try TestMemory.values(of: state) },
    HighPrecisionEventTimer.stateName: { (state) throws(DeviceStateError) in
      _ = try HighPrecisionEventTimer.values(of: state)
    },
    SystemControlPortA.stateName: { (state) throws(DeviceStateError) in _ = try SystemControlPortA.values(of: state) },
    ShutdownPort.stateName: { (state) throws(DeviceStateError) in _ = try ShutdownPort.values(of: state) },
    PCITestDevice.stateName: { (state) throws(DeviceStateError) in _ = try PCITestDevice.values(of: state) },
  ]
}
