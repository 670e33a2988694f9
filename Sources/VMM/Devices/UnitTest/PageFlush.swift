/// The page flush of QEMU's pc-testdev: the address of a page that KVM is to forget the translation of, written to port
/// 0xe4. QEMU changes the page's protection back and forth; here the next access finds the translation still there, which
/// a guest can tell only by what it costs.
final class PageFlush: BusDevice {
  static let ports: Range<UInt64> = 0xe4..<0xe8

  func read(_ access: BusAccess) -> UInt64 { 0 }
  func write(_ value: UInt64, _ access: BusAccess) {}
}
