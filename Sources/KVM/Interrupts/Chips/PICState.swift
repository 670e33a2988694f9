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
