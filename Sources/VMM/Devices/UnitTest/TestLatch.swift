import Synchronization

/// The latch of QEMU's pc-testdev: four bytes that read as they were written, at port 0xe0 and again at port 0xe8.
final class TestLatch: BusDevice {
  static let ports: Range<UInt64> = 0xe0..<0xe4
  static let mirror: Range<UInt64> = 0xe8..<0xec

  struct State: Hashable, Sendable {
    var value: UInt32 = 0
  }

  private let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    UInt64(state.withLock { $0.value }) >> (8 * access.offset)
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    state.withLock { state in
      for byte in 0..<UInt64(access.width) where access.offset + byte < 4 {
        let shift = UInt32(8 * (access.offset + byte))
        let part = UInt32(truncatingIfNeeded: value >> (8 * byte)) & 0xff
        state.value = state.value & ~(0xff << shift) | part << shift
      }
    }
  }
}
