/// What is pending or being delivered on a vCPU (KVM API, KVM_GET_VCPU_EVENTS).
public struct VCPUEvents: Hashable, Sendable {
  /// An exception.
  public struct Exception: Hashable, Sendable {
    /// Whether its delivery has begun.
    public var injected = false
    /// Whether it waits, its payload not yet in DR6 or CR2.
    public var pending = false
    /// The exception, 0 to 31.
    public var number: UInt8 = 0
    /// Its error code, if it has one.
    public var errorCode: UInt32?
    /// What goes to DR6 or CR2 at delivery (KVM_CAP_EXCEPTION_PAYLOAD).
    public var payload: UInt64?

    /// No exception.
    public init() {}
  }

  /// An external or software interrupt.
  public struct Interrupt: Hashable, Sendable {
    /// Whether its delivery has begun.
    public var injected = false
    /// Its vector.
    public var number: UInt8 = 0
    /// Whether INT caused it.
    public var soft = false
    /// What shields the next instruction: bit 0 MOV SS, bit 1 STI.
    public var shadow: UInt8 = 0

    /// No interrupt.
    public init() {}
  }

  /// Non-maskable interrupts.
  public struct NMI: Hashable, Sendable {
    /// Whether delivery of one has begun.
    public var injected = false
    /// How many wait, at most 2.
    public var pending: UInt8 = 0
    /// Whether they are blocked until IRET.
    public var masked = false

    /// No NMI.
    public init() {}
  }

  /// System management interrupts, and INIT.
  public struct SMI: Hashable, Sendable {
    /// Whether the vCPU is in system management mode.
    public var inSMM = false
    /// Whether an SMI waits.
    public var pending = false
    /// Whether NMIs were blocked when it came.
    public var insideNMI = false
    /// Whether an INIT waits for the end of system management mode.
    public var latchedINIT = false

    /// No SMI.
    public init() {}
  }

  /// The exception.
  public var exception = Exception()
  /// The interrupt.
  public var interrupt = Interrupt()
  /// The non-maskable interrupts.
  public var nmi = NMI()
  /// The system management interrupts; nil where the kernel has none.
  public var smi: SMI?
  /// The vector of the last SIPI; KVM never reports it, and sets it only if given.
  public var sipiVector: UInt8?
  /// Whether a triple fault waits (KVM_CAP_X86_TRIPLE_FAULT_EVENT); nil where the kernel does not tell.
  public var tripleFault: Bool?

  /// No event.
  public init() {}
}
