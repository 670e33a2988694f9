import KVM

/// The interrupt lines of QEMU's pc-testdev: a write to port 0x2000 + n sets the level of GSI n.
final class TestLines: BusDevice {
  static let ports: Range<UInt64> = 0x2000..<0x2018

  private let interrupts: InterruptController
  private let stop: StopSwitch

  init(interrupts: InterruptController, stop: StopSwitch) {
    self.interrupts = interrupts
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { 0 }

  func write(_ value: UInt64, _ access: BusAccess) {
    do throws(KVMError) {
      try interrupts.setLine(UInt32(access.offset), to: value != 0)
    } catch {
      stop.stop(.runFailed(error, vcpu: access.vcpu))
    }
  }
}
