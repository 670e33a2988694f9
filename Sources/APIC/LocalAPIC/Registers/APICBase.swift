/// IA32_APIC_BASE: whether a local APIC is on, in which mode, and where its registers lie (SDM volume 3A, section 12.4.4
/// and for x2APIC mode section 12.12.1).
public struct APICBase: RawRepresentable, Hashable, Sendable {
  /// The MSR's value.
  public var rawValue: UInt64

  /// The fields of that value of the MSR.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// A value made of its fields.
  ///
  /// - Parameters:
  ///   - address: Where the register page lies; a multiple of 4096.
  ///   - isBootstrapProcessor: Whether the processor started the machine.
  ///   - mode: The mode.
  public init(address: UInt64 = defaultAddress, isBootstrapProcessor: Bool = false, mode: APICMode = .xAPIC) {
    self.init(rawValue: 0)
    self.address = address
    self.isBootstrapProcessor = isBootstrapProcessor
    self.mode = mode
  }

  /// Where the register page lies after reset.
  ///
  /// Messages go to this megabyte wherever the page is moved.
  public static var defaultAddress: UInt64 { 0xfee0_0000 }

  /// Where the register page lies: bits 51:12, in place.
  public var address: UInt64 {
    get { rawValue[bits: 12...51] << 12 }
    set { rawValue[bits: 12...51] = newValue >> 12 }
  }

  /// Bit 8, BSP.
  public var isBootstrapProcessor: Bool {
    get { rawValue[bit: 8] }
    set { rawValue[bit: 8] = newValue }
  }

  /// Bit 10, EXTD.
  public var isX2APIC: Bool {
    get { rawValue[bit: 10] }
    set { rawValue[bit: 10] = newValue }
  }

  /// Bit 11, EN.
  public var isEnabled: Bool {
    get { rawValue[bit: 11] }
    set { rawValue[bit: 11] = newValue }
  }

  /// What bits 11 and 10 mean together.
  public var mode: APICMode {
    get {
      switch (isEnabled, isX2APIC) {
      case (false, false): .disabled
      case (true, false): .xAPIC
      case (true, true): .x2APIC
      case (false, true): .invalid
      }
    }
    set {
      isEnabled = newValue == .xAPIC || newValue == .x2APIC
      isX2APIC = newValue == .x2APIC || newValue == .invalid
    }
  }
}

/// The mode of a local APIC: what bits 11:10 of IA32_APIC_BASE select (SDM volume 3A, table 12-5).
public enum APICMode: Sendable {
  /// Off: the processor has no local APIC.
  case disabled
  /// Registers in memory, 8-bit IDs.
  case xAPIC
  /// Registers as MSRs, 32-bit IDs.
  case x2APIC
  /// Bit 10 without bit 11, which the processor refuses with a general-protection exception.
  case invalid
}

#if !hasFeature(Embedded)
extension APICMode: CaseIterable {}
#endif

/// The numbers of the model-specific registers that interrupts need.
public enum MSR {
  /// IA32_TIME_STAMP_COUNTER (SDM volume 4, table 2-2).
  public static var tsc: UInt32 { 0x10 }
  /// IA32_APIC_BASE, whose fields are `APICBase` (SDM volume 3A, section 12.4.4).
  public static var apicBase: UInt32 { 0x1b }
  /// IA32_TSC_ADJUST (SDM volume 3B, section 19.17.3).
  public static var tscAdjust: UInt32 { 0x3b }
  /// IA32_TSC_DEADLINE (SDM volume 3A, section 12.5.4.1).
  public static var tscDeadline: UInt32 { 0x6e0 }
  /// The first of the x2APIC's registers; `LocalAPICRegister.msr` gives each (SDM volume 3A, section 12.12.1.2).
  public static var x2APICBase: UInt32 { 0x800 }
  /// IA32_EFER (SDM volume 3A, section 2.2.1).
  public static var efer: UInt32 { 0xc000_0080 }
  /// IA32_GS_BASE (SDM volume 4, table 2-2).
  public static var gsBase: UInt32 { 0xc000_0101 }
}

/// What KVM adds for its guests (kernel documentation, virt/kvm/x86/msr.rst).
extension MSR {
  /// MSR_KVM_WALL_CLOCK_NEW: where to write the wall-clock time of boot.
  public static var wallClock: UInt32 { 0x4b56_4d00 }
  /// MSR_KVM_SYSTEM_TIME_NEW: where to keep the vCPU's kvmclock page.
  public static var systemTime: UInt32 { 0x4b56_4d01 }
  /// MSR_KVM_ASYNC_PF_EN: enables asynchronous page faults.
  public static var asyncPF: UInt32 { 0x4b56_4d02 }
  /// MSR_KVM_STEAL_TIME: where to count the time that the vCPU did not get.
  public static var stealTime: UInt32 { 0x4b56_4d03 }
  /// MSR_KVM_PV_EOI_EN: the word in memory that saves the guest an EOI write.
  public static var pvEOI: UInt32 { 0x4b56_4d04 }
  /// MSR_KVM_POLL_CONTROL: whether the host polls before it halts the vCPU.
  public static var pollControl: UInt32 { 0x4b56_4d05 }
  /// MSR_KVM_ASYNC_PF_INT: the vector that says that a page is ready.
  public static var asyncPFInterrupt: UInt32 { 0x4b56_4d06 }
  /// MSR_KVM_ASYNC_PF_ACK: asks for the next page that is ready.
  public static var asyncPFAcknowledge: UInt32 { 0x4b56_4d07 }
}
