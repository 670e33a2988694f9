/// The registers of a local APIC at one moment: the page that `KVM_GET_LAPIC` reads and `KVM_SET_LAPIC` writes (KVM API,
/// sections 4.57 and 4.58).
public struct LocalAPICState: Sendable {
  /// The page's 1024 bytes as 32-bit words.
  ///
  /// A register is the word at a quarter of its offset. The three words after it are unused, but are kept so that a page comes back as it was.
  public var registers: InlineArray<256, UInt32>

  /// The state that a register page holds.
  ///
  /// - Parameter registers: The page, by default with every register zero.
  public init(registers: InlineArray<256, UInt32> = InlineArray(repeating: 0)) {
    self.registers = registers
  }

  /// A register's 32 bits; of the ISR, the TMR and the IRR those of vectors 31:0.
  public subscript(register: LocalAPICRegister) -> UInt32 {
    get { self[register, word: 0] }
    set { self[register, word: 0] = newValue }
  }

  /// The 32 bits of one of the registers that a case stands for.
  ///
  /// - Parameters:
  ///   - register: The first of them.
  ///   - word: 0 to the register's `wordCount` - 1.
  public subscript(register: LocalAPICRegister, word word: Int) -> UInt32 {
    get { registers[Int(register.offset(word: word) / 4)] }
    set { registers[Int(register.offset(word: word) / 4)] = newValue }
  }
}

extension LocalAPICState: Hashable {
  /// Whether both pages hold the same 1024 bytes.
  public static func == (left: LocalAPICState, right: LocalAPICState) -> Bool {
    for index in left.registers.indices where left.registers[index] != right.registers[index] { return false }
    return true
  }

  /// Feeds the page to the hasher.
  public func hash(into hasher: inout Hasher) {
    for index in registers.indices { hasher.combine(registers[index]) }
  }
}

extension LocalAPICState {
  /// The version register.
  public var version: LocalAPICVersion {
    get { LocalAPICVersion(rawValue: self[.version]) }
    set { self[.version] = newValue.rawValue }
  }

  /// The LDR as it stands; `logicalID(mode:)` decodes it.
  public var logicalDestination: UInt32 {
    get { self[.logicalDestination] }
    set { self[.logicalDestination] = newValue }
  }

  /// The DFR, or `nil` if it selects neither model; only xAPIC mode has it.
  public var destinationFormat: DestinationFormat? {
    DestinationFormat(registerValue: self[.destinationFormat])
  }

  /// Sets the DFR.
  public mutating func setDestinationFormat(_ format: DestinationFormat) {
    self[.destinationFormat] = format.registerValue
  }

  /// The SVR.
  public var spurious: SpuriousInterruptVectorRegister {
    get { SpuriousInterruptVectorRegister(rawValue: self[.spurious]) }
    set { self[.spurious] = newValue.rawValue }
  }

  /// The ESR.
  public var errorStatus: ErrorStatus {
    get { ErrorStatus(rawValue: self[.errorStatus]) }
    set { self[.errorStatus] = newValue.rawValue }
  }

  /// The entry that the local vector table has for a source.
  public func lvt(_ source: LocalVector) -> LVTEntry {
    LVTEntry(rawValue: self[source.register])
  }

  /// Sets the entry that the local vector table has for a source.
  public mutating func setLVT(_ source: LocalVector, to entry: LVTEntry) {
    self[source.register] = entry.rawValue
  }

  /// The count from which the timer starts.
  public var initialCount: UInt32 {
    get { self[.initialCount] }
    set { self[.initialCount] = newValue }
  }

  /// The count at which the timer is.
  public var currentCount: UInt32 {
    get { self[.currentCount] }
    set { self[.currentCount] = newValue }
  }

  /// The timer's divide configuration.
  public var divide: TimerDivide {
    get { TimerDivide(registerValue: self[.divide]) }
    set { self[.divide] = newValue.registerValue }
  }
}

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

#if !hasFeature(Embedded)
extension LocalAPICState: CustomStringConvertible {
  /// What decides the next interrupt, as in `IRR {0x70} ISR {} TPR 0x00 PPR 0x00`.
  public var description: String {
    let state = "IRR \(interruptRequest) ISR \(inService) TPR \(taskPriority) PPR \(processorPriority)"
    return spurious.isSoftwareEnabled ? state : state + ", software disabled"
  }
}
#endif
