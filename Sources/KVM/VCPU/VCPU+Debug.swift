import CKVM
import SystemPackage

/// What to stop the guest for (KVM API, KVM_SET_GUEST_DEBUG).
public struct GuestDebugOptions: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The options with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Debug at all; without it the others have no effect (KVM_GUESTDBG_ENABLE).
  public static let enable = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_ENABLE))

  /// After every instruction (KVM_GUESTDBG_SINGLESTEP).
  public static let singleStep = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_SINGLESTEP))

  /// At INT3 (KVM_GUESTDBG_USE_SW_BP).
  public static let softwareBreakpoints = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_USE_SW_BP))

  /// At the breakpoints given, instead of the guest's (KVM_GUESTDBG_USE_HW_BP).
  public static let hardwareBreakpoints = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_USE_HW_BP))

  /// Inject #DB (KVM_GUESTDBG_INJECT_DB).
  public static let injectDB = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_INJECT_DB))

  /// Inject #BP (KVM_GUESTDBG_INJECT_BP).
  public static let injectBP = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_INJECT_BP))

  /// Keep interrupts out while stepping (KVM_GUESTDBG_BLOCKIRQ).
  public static let blockIRQ = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_BLOCKIRQ))
}

extension VCPU {
  /// Chooses what to stop the guest for; it then leaves as `Exit.debug` (KVM_SET_GUEST_DEBUG).
  ///
  /// - Parameters:
  ///   - options: none to debug no longer.
  ///   - breakpoints: DR0 to DR3 and DR7, for `.hardwareBreakpoints`.
  /// - Throws: `KVMError`: EBUSY when an exception waits while one is to be injected, EINVAL for bits that the kernel lacks
  ///   (`.setGuestDebug2` has those it knows).
  public func setGuestDebug(
    _ options: GuestDebugOptions, breakpoints: DebugRegisters = DebugRegisters()
  ) throws(KVMError) {
    var raw = kvm_guest_debug()
    raw.control = options.rawValue
    raw.arch.debugreg = (
      breakpoints.dr0, breakpoints.dr1, breakpoints.dr2, breakpoints.dr3, 0, 0, 0, breakpoints.dr7
    )
    // Sound: KVM reads the one structure it is given.
    try attempt(.setGuestDebug, unsafe ckvm_set_guest_debug(descriptor.rawValue, &raw))
  }
}
