import Synchronization

/// The CRT controller's registers of a colour display adapter, at ports 0x3d4 and 0x3d5 (IBM VGA technical reference, "CRT
/// controller registers"): they hold what the guest writes, the cursor's place above all, and nothing is displayed. The text
/// at 0xb8000 is RAM of the guest's. Kernels that print there as well as on COM1 read the cursor's place back.
final class DisplayController: BusDevice {
  static let ports: Range<UInt64> = 0x3d4..<0x3d6
  static let stateName = "display"
  private static let registerCount = 0x19

  struct State: Hashable, Sendable {
    /// Which register port 0x3d5 is.
    var index: UInt8 = 0
    var registers = [UInt8](repeating: 0, count: DisplayController.registerCount)

    mutating func write(_ byte: UInt8, to offset: UInt64) {
      if offset == 0 { index = byte } else if registers.indices.contains(Int(index)) { registers[Int(index)] = byte }
    }

    func read(_ offset: UInt64) -> UInt8 {
      offset == 0 ? index : registers.indices.contains(Int(index)) ? registers[Int(index)] : 0
    }
  }

  private let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    state.withLock { state in
      (0..<UInt64(access.width)).reduce(0) { value, byte in
        let offset = access.offset + byte
        return value | UInt64(offset < 2 ? state.read(offset) : .max) << (8 * byte)
      }
    }
  }

  /// A word has the index and what goes there.
  func write(_ value: UInt64, _ access: BusAccess) {
    state.withLock { state in
      for byte in 0..<UInt64(access.width) where access.offset + byte < 2 {
        state.write(UInt8(truncatingIfNeeded: value >> (8 * byte)), to: access.offset + byte)
      }
    }
  }

  /// What the registers hold; nil where the guest has not touched them.
  func save() -> DeviceState? {
    let state = state.withLock { $0 }
    guard state != State() else { return nil }
    return DeviceState(
      name: Self.stateName, fields: ["index": [UInt64(state.index)], "registers": state.registers.map(UInt64.init)])
  }

  /// Puts back what they held.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    state.withLock { $0 = values }
  }

  /// What a state says that the registers hold.
  static func values(of saved: DeviceState) throws(DeviceStateError) -> State {
    let registers = try saved.values("registers", count: registerCount, upTo: 0xff)
    return State(
      index: UInt8(truncatingIfNeeded: try saved.value("index", upTo: 0xff)),
      registers: registers.map { UInt8(truncatingIfNeeded: $0) })
  }
}
