/// A device of this process whose state a snapshot keeps. `DeviceState.validate` knows its states too.
protocol StatefulDevice: Sendable {
  /// The name of its state.
  static var stateName: String { get }

  /// What it holds, while no vCPU runs.
  func save() -> DeviceState

  /// Puts back what it held.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError)
}

extension StatefulDevice {
  /// The name of this device's state.
  var stateName: String { Self.stateName }
}
