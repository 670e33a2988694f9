public import APIC
import CKVM

/// One of the two 8259A interrupt controllers (KVM API, KVM_GET_IRQCHIP, `struct kvm_pic_state`).
public struct PICState: Hashable, Sendable {
  /// The levels last seen on the inputs, for edge detection.
  public var lastIRR: UInt8 = 0
  /// Interrupt request register.
  public var irr: UInt8 = 0
  /// Interrupt mask register.
  public var imr: UInt8 = 0
  /// In-service register.
  public var isr: UInt8 = 0
  /// The input that has the highest priority.
  public var priorityAdd: UInt8 = 0
  /// The vector of input 0.
  public var irqBase: UInt8 = 0
  /// Whether reads show ISR (1) or IRR (0).
  public var readRegisterSelect: UInt8 = 0
  /// Whether the next read polls.
  public var poll: UInt8 = 0
  /// Special mask mode.
  public var specialMask: UInt8 = 0
  /// Which initialization command word comes next, 0 for none.
  public var initState: UInt8 = 0
  /// Automatic end of interrupt.
  public var autoEOI: UInt8 = 0
  /// Rotation of priorities at an automatic end of interrupt.
  public var rotateOnAutoEOI: UInt8 = 0
  /// Special fully nested mode.
  public var specialFullyNestedMode: UInt8 = 0
  /// Whether initialization takes a fourth command word.
  public var init4: UInt8 = 0
  /// Edge/level control register: 1 for level.
  public var elcr: UInt8 = 0
  /// The bits of `elcr` that can be set.
  public var elcrMask: UInt8 = 0

  /// A controller with every register 0.
  public init() {}
}

extension PICState {
  init(_ raw: kvm_pic_state) {
    lastIRR = raw.last_irr
    irr = raw.irr
    imr = raw.imr
    isr = raw.isr
    priorityAdd = raw.priority_add
    irqBase = raw.irq_base
    readRegisterSelect = raw.read_reg_select
    poll = raw.poll
    specialMask = raw.special_mask
    initState = raw.init_state
    autoEOI = raw.auto_eoi
    rotateOnAutoEOI = raw.rotate_on_auto_eoi
    specialFullyNestedMode = raw.special_fully_nested_mode
    init4 = raw.init4
    elcr = raw.elcr
    elcrMask = raw.elcr_mask
  }
}

extension kvm_pic_state {
  init(_ state: PICState) {
    self.init(
      last_irr: state.lastIRR, irr: state.irr, imr: state.imr, isr: state.isr, priority_add: state.priorityAdd,
      irq_base: state.irqBase, read_reg_select: state.readRegisterSelect, poll: state.poll,
      special_mask: state.specialMask, init_state: state.initState, auto_eoi: state.autoEOI,
      rotate_on_auto_eoi: state.rotateOnAutoEOI, special_fully_nested_mode: state.specialFullyNestedMode,
      init4: state.init4, elcr: state.elcr, elcr_mask: state.elcrMask)
  }
}

/// The in-kernel IOAPIC (KVM API, KVM_GET_IRQCHIP, `struct kvm_ioapic_state`).
public struct IOAPICState: Hashable, Sendable {
  /// Where its registers are in guest-physical memory.
  public var baseAddress: UInt64

  /// The register that the window shows (IOREGSEL).
  public var registerSelect: UInt32

  /// Its ID register's number.
  public var id: UInt32

  /// The pins with a request that is not yet sent, or whose level is high; pin 0 in bit 0.
  public var irr: UInt32

  /// The redirection table, one entry a pin.
  ///
  /// KVM takes the first 24; pins without one are written as 0.
  public var entries: [RedirectionEntry]

  /// An IOAPIC.
  public init(
    baseAddress: UInt64 = IOAPIC.defaultAddress, registerSelect: UInt32 = 0, id: UInt32 = 0, irr: UInt32 = 0,
    entries: [RedirectionEntry]
  ) {
    self.baseAddress = baseAddress
    self.registerSelect = registerSelect
    self.id = id
    self.irr = irr
    self.entries = entries
  }
}

extension IOAPICState {
  init(_ raw: kvm_ioapic_state) {
    var copy = raw
    self.init(
      baseAddress: raw.base_address, registerSelect: raw.ioregsel, id: raw.id, irr: raw.irr,
      // Sound: the shim reads the structure it is given, within its bounds.
      entries: (0..<UInt32(IOAPIC.pinCount)).map { RedirectionEntry(rawValue: unsafe ckvm_ioapic_entry(&copy, $0)) })
  }
}

extension kvm_ioapic_state {
  init(_ state: IOAPICState) {
    self.init()
    base_address = state.baseAddress
    ioregsel = state.registerSelect
    id = state.id
    irr = state.irr
    for (pin, entry) in state.entries.prefix(IOAPIC.pinCount).enumerated() {
      // Sound: the shim writes the structure it is given, within its bounds.
      unsafe ckvm_ioapic_set_entry(&self, UInt32(pin), entry.rawValue)
    }
  }
}
