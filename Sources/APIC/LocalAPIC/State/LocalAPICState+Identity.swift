/// The registers whose layout depends on the mode, which the page does not tell: IA32_APIC_BASE does. In x2APIC mode
/// they are 32 bits wide if `KVM_CAP_X2APIC_API` has enabled 32-bit IDs (KVM API, sections 4.57 and 7.7).
extension LocalAPICState {
  /// The local APIC's ID (SDM volume 3A, sections 12.4.6 and 12.12.1.2).
  ///
  /// - Parameter mode: The mode: in x2APIC mode the ID is the whole register, else bits 31:24.
  public func id(mode: APICMode) -> UInt32 {
    identifier(.id, mode: mode)
  }

  /// Sets the local APIC's ID.
  ///
  /// - Parameters:
  ///   - id: The ID: 32 bits in x2APIC mode, else 8.
  ///   - mode: The mode.
  public mutating func setID(_ id: UInt32, mode: APICMode) {
    setIdentifier(.id, to: id, mode: mode)
  }

  /// The local APIC's logical ID (SDM volume 3A, sections 12.6.2.2 and 12.12.10.1).
  ///
  /// - Parameter mode: The mode: in x2APIC mode the logical ID is the whole LDR, else bits 31:24.
  public func logicalID(mode: APICMode) -> UInt32 {
    identifier(.logicalDestination, mode: mode)
  }

  /// Sets the local APIC's logical ID.
  ///
  /// In x2APIC mode KVM derives it from the ID and ignores what is set.
  ///
  /// - Parameters:
  ///   - id: The logical ID: 32 bits in x2APIC mode, else 8.
  ///   - mode: The mode.
  public mutating func setLogicalID(_ id: UInt32, mode: APICMode) {
    setIdentifier(.logicalDestination, to: id, mode: mode)
  }

  /// The ICR, the command that was sent last (SDM volume 3A, sections 12.6.1 and 12.12.9).
  ///
  /// KVM gives the ICR in two registers in either mode (`kvm_apic_state_fixup` in arch/x86/kvm/lapic.c).
  ///
  /// - Parameter mode: The mode: in x2APIC mode the destination is the whole second register, else its bits 31:24.
  public func interruptCommand(mode: APICMode) -> InterruptCommand {
    let destination = identifier(.interruptCommandHigh, mode: mode)
    return InterruptCommand(rawValue: UInt64(destination) << 32 | UInt64(self[.interruptCommand]))
  }

  /// Sets the ICR, which sends nothing.
  ///
  /// - Parameters:
  ///   - command: The command.
  ///   - mode: The mode.
  public mutating func setInterruptCommand(_ command: InterruptCommand, mode: APICMode) {
    self[.interruptCommand] = command.xAPICLow
    setIdentifier(.interruptCommandHigh, to: command.destination.identifier, mode: mode)
  }

  private func identifier(_ register: LocalAPICRegister, mode: APICMode) -> UInt32 {
    mode == .x2APIC ? self[register] : self[register] >> 24
  }

  private mutating func setIdentifier(_ register: LocalAPICRegister, to value: UInt32, mode: APICMode) {
    self[register] = mode == .x2APIC ? value : value << 24
  }
}
