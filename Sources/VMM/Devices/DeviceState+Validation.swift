extension DeviceState {
  /// How the state of a device is checked, by the device's name.
  private static let checks: [String: @Sendable (DeviceState) throws(DeviceStateError) -> Void] = [
    SerialConsole.stateName: { (state) throws(DeviceStateError) in _ = try SerialConsole.State(state) },
    GuestProgress.stateName: { (state) throws(DeviceStateError) in _ = try GuestProgress.values(of: state) },
  ]

  /// Refuses states that the devices of such a machine cannot be in, before there is a machine.
  ///
  /// - Throws: `DeviceStateError` for the first of them.
  public static func validate(
    _ states: [DeviceState], _ configuration: MachineConfiguration
  ) throws(DeviceStateError) {
    for state in states {
      guard let check = checks[state.name] else {
        throw DeviceStateError(device: state.name, problem: "this machine has no device '\(state.name)'")
      }
      try check(state)
    }
  }
}
