import APIC

/// What a device in this process holds, as plain values: what a snapshot keeps of it.
public struct DeviceState: Hashable, Sendable {
  /// Which device of its machine, such as `serial`; no two have one name.
  public var name: String
  /// Its registers by name, each with one value or a list.
  public var fields: [String: [UInt64]]

  /// The state of a device.
  public init(name: String, fields: [String: [UInt64]] = [:]) {
    self.name = name
    self.fields = fields
  }
}

/// A state that a device cannot be in.
public struct DeviceStateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The device.
  public var device: String
  /// The field; empty where it is about the device.
  public var field: String
  /// What is wrong with it.
  public var problem: String

  /// A field that a device cannot have.
  public init(device: String, field: String = "", problem: String) {
    self.device = device
    self.field = field
    self.problem = problem
  }

  /// Where and what, for a person.
  public var description: String { "\(device)\(field.isEmpty ? "" : ".\(field)"): \(problem)" }
}

extension DeviceState {
  /// The values of a field: as many as are expected, each up to a limit.
  ///
  /// - Throws: `DeviceStateError` where the field is missing, has another number of values or one that is too large.
  public func values(_ field: String, count: Int = 1, upTo limit: UInt64 = .max) throws(DeviceStateError) -> [UInt64] {
    guard let values = fields[field] else {
      throw DeviceStateError(device: name, field: field, problem: "it is missing")
    }
    guard values.count == count else {
      throw DeviceStateError(device: name, field: field, problem: "\(count) values expected, not \(values.count)")
    }
    guard let tooLarge = values.first(where: { $0 > limit }) else { return values }
    throw DeviceStateError(device: name, field: field, problem: "\(hex(tooLarge)) is above \(hex(limit))")
  }

  /// The one value of a field, up to a limit.
  ///
  /// - Throws: `DeviceStateError` where it is missing or too large.
  public func value(_ field: String, upTo limit: UInt64 = .max) throws(DeviceStateError) -> UInt64 {
    try values(field, upTo: limit)[0]
  }
}

/// A device of this process whose state a snapshot keeps. `DeviceState.validate` knows its states too.
protocol StatefulDevice: Sendable {
  /// The name of its state; where a machine has more than one such device, the beginning of their names.
  static var stateName: String { get }
  /// The name of this device's state.
  var stateName: String { get }

  /// What it holds, while no vCPU runs.
  func save() -> DeviceState

  /// Puts back what it held.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError)
}

extension StatefulDevice {
  /// The name of the only one of its kind.
  var stateName: String { Self.stateName }
}

/// What a device holds, as a value that a snapshot keeps.
protocol DeviceRegisters: Sendable {
  /// What a state says that they hold.
  ///
  /// - Throws: `DeviceStateError` for a state that the device cannot be in.
  init(_ saved: DeviceState) throws(DeviceStateError)

  /// Them, by name.
  var fields: [String: [UInt64]] { get }
}

/// A device that holds registers and nothing else, of which its machine has one.
protocol RegisterDevice: StatefulDevice, AnyObject {
  associatedtype State: DeviceRegisters

  /// What it holds.
  var held: State { get set }
}

extension RegisterDevice {
  func save() -> DeviceState { DeviceState(name: Self.stateName, fields: held.fields) }

  func restore(_ saved: DeviceState) throws(DeviceStateError) { held = try State(saved) }

  /// How its state is checked.
  static var check: DeviceState.Check {
    { (saved) throws(DeviceStateError) in _ = try State(saved) }
  }
}

extension DeviceState {
  /// How the state of a device is checked.
  typealias Check = @Sendable (DeviceState) throws(DeviceStateError) -> Void

  /// The checks of the devices that every machine may have, by their names.
  private static let checks: [String: Check] = [
    DisplayController.stateName: { (state) throws(DeviceStateError) in _ = try DisplayController.values(of: state) },
    PCIBus.stateName: PCIBus.check,
    SerialPort.stateName: { (state) throws(DeviceStateError) in _ = try UART(state) },
    GuestProgress.stateName: { (state) throws(DeviceStateError) in _ = try GuestProgress.values(of: state) },
  ]

  /// The devices that a machine of that profile has besides.
  private static func devices(of profile: MachineProfile) -> [any RegisterDevice.Type] {
    switch profile {
    case .standard: []
    case .linux: LinuxDevices.kinds
    case .unitTest: UnitTestDevices.kinds
    }
  }

  /// Refuses states that the devices of such a machine cannot be in, before there is a machine. A virtio device has to have
  /// one: its driver would wait for a device that knows nothing of it.
  ///
  /// - Throws: `DeviceStateError` for the first of them.
  public static func validate(
    _ states: [DeviceState], _ configuration: MachineConfiguration
  ) throws(DeviceStateError) {
    let others = devices(of: configuration.profile)
    let virtio = configuration.virtio.indices.map { "\(VirtioFunction.stateName)\($0)" }
    for name in virtio where !states.contains(where: { $0.name == name }) {
      throw DeviceStateError(device: name, problem: "the state of the device '\(name)' is missing")
    }
    for state in states {
      if let index = virtio.firstIndex(of: state.name) {
        _ = try VirtioState(state, of: configuration.virtio[index], memorySize: configuration.memory)
        continue
      }
      guard let check = checks[state.name] ?? others.first(where: { $0.stateName == state.name })?.check else {
        throw DeviceStateError(device: state.name, problem: "this machine has no device '\(state.name)'")
      }
      try check(state)
    }
  }
}
