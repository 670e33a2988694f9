public import APIC
import CKVM

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
