import Synchronization

/// The memory of QEMU's pc-testdev: 64 KiB that the guest reaches only through the VMM, for instructions that access a
/// device.
final class TestMemory: BusDevice {
  static let size = 64 << 10
  static let addresses: Range<UInt64> = 0xff00_0000..<0xff00_0000 + UInt64(size)

  struct State: Hashable, Sendable {
    var bytes = [UInt8](repeating: 0, count: TestMemory.size)
  }

  private let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    state.withLock { state in
      var value: UInt64 = 0
      for index in 0..<min(access.width, 8) {
        let place = Int(access.offset) + index
        if place < Self.size { value |= UInt64(state.bytes[place]) << UInt64(8 * index) }
      }
      return value
    }
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    state.withLock { state in
      for index in 0..<min(access.width, 8) {
        let place = Int(access.offset) + index
        if place < Self.size { state.bytes[place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
      }
    }
  }
}
