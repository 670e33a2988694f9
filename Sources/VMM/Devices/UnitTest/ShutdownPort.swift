import Synchronization

/// Bochs's port 0x8900: the text "Shutdown", a byte at a time, ends the machine.
final class ShutdownPort: BusDevice {
  static let ports: Range<UInt64> = 0x8900..<0x8901

  struct State: Hashable, Sendable {
    /// How many of the text's bytes have come in a row.
    var matched = 0
  }

  private static let text = Array("Shutdown".utf8)
  private let state = Mutex(State())
  private let stop: StopSwitch

  init(stop: StopSwitch) { self.stop = stop }

  func read(_ access: BusAccess) -> UInt64 { .max }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let isComplete = state.withLock { state in
      state.matched = byte == Self.text[state.matched] ? state.matched + 1 : byte == Self.text[0] ? 1 : 0
      guard state.matched == Self.text.count else { return false }
      state.matched = 0
      return true
    }
    if isComplete { stop.stop(.systemEvent("shutdown through port 0x8900", vcpu: access.vcpu)) }
  }
}
