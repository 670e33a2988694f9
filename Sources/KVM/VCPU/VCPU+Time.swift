import CKVM
import SystemPackage

extension VCPU {
  /// The frequency of the guest's TSC, in kilohertz (KVM_GET_TSC_KHZ).
  ///
  /// - Throws: `KVMError` with EIO when the host's TSC is unstable.
  public func tscFrequency() throws(KVMError) -> UInt32 {
    UInt32(try attempt(.getTSCKHz, ckvm_get_tsc_khz(descriptor.rawValue)))
  }

  /// Sets it (KVM_SET_TSC_KHZ).
  ///
  /// - Parameter kHz: in kilohertz; 0 for the host's.
  /// - Throws: `KVMError` with EINVAL when the host cannot scale to it.
  public func setTSCFrequency(kHz: UInt32) throws(KVMError) {
    try attempt(.setTSCKHz, ckvm_set_tsc_khz(descriptor.rawValue, UInt(kHz)), detail: "\(kHz) kHz")
  }

  /// What the guest's TSC is ahead of the host's, modulo 2^64, after scaling (KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET).
  ///
  /// - Throws: `KVMError` with ENXIO on kernels before 5.16.
  public func tscOffset() throws(KVMError) -> UInt64 {
    var offset: UInt64 = 0
    // Sound: KVM writes the one integer it is given.
    try attempt(.getDeviceAttr, unsafe ckvm_get_tsc_offset(descriptor.rawValue, &offset))
    return offset
  }

  /// Sets it; vCPUs with one offset have one TSC (KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET).
  ///
  /// - Throws: `KVMError` with ENXIO on kernels before 5.16.
  public func setTSCOffset(_ offset: UInt64) throws(KVMError) {
    try attempt(.setDeviceAttr, ckvm_set_tsc_offset(descriptor.rawValue, offset))
  }

  /// Tells the guest, through kvmclock, that it was paused, so that its watchdogs stay calm (KVM_KVMCLOCK_CTRL).
  ///
  /// - Throws: `KVMError` with EINVAL when the guest has no kvmclock on.
  public func notifyPaused() throws(KVMError) {
    try attempt(.kvmclockCtrl, ckvm_kvmclock_ctrl(descriptor.rawValue))
  }

  /// Sets which signals the running thread blocks inside `run()` (KVM_SET_SIGNAL_MASK).
  ///
  /// `requestExit()` does without.
  ///
  /// - Parameter signals: signal n in bit n - 1; nil for the thread's own mask.
  /// - Throws: `KVMError`; in practice never.
  public func setSignalMask(_ signals: UInt64?) throws(KVMError) {
    let answer = signals.map { ckvm_set_signal_mask(descriptor.rawValue, $0) }
    try attempt(.setSignalMask, answer ?? ckvm_clear_signal_mask(descriptor.rawValue))
  }
}

/// The TSC of the processor that this runs on (RDTSC).
public func hostTSC() -> UInt64 { ckvm_read_tsc() }
