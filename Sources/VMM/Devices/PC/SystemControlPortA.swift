import Synchronization

/// Port 92: a fast reset when bit 0 goes from 0 to 1, and the A20 gate, which is always open.
final class SystemControlPortA: BusDevice {
  static let ports: Range<UInt64> = 0x92..<0x93

  struct State: Hashable, Sendable {
    var value: UInt8 = 0
  }

  private static let fastReset: UInt8 = 1
  private let state = Mutex(State())
  private let stop: StopSwitch

  init(stop: StopSwitch) { self.stop = stop }

  func read(_ access: BusAccess) -> UInt64 { state.withLock { UInt64($0.value) } }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let resets = state.withLock { state in
      defer { state.value = byte }
      return byte & ~state.value & Self.fastReset != 0
    }
    if resets { stop.stop(.reset(vcpu: access.vcpu)) }
  }
}
