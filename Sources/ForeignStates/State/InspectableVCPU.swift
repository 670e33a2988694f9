public import APIC
public import KVM
public import MachineState

/// A vCPU as far as a file holds it.
public struct InspectableVCPU: Hashable, Sendable {
  /// Its index.
  public var index: Int
  /// The state. Where a part is absent, what stands here means nothing: ask `knows` first, or use the accessors.
  public var values: VCPUState
  /// What the file does not hold.
  public var absent: Set<Part>

  /// A part of a vCPU.
  public enum Part: Hashable, Sendable {
    /// Its number, which is its APIC ID after a reset.
    case id
    /// Whether it runs, halts or waits.
    case mpState
    /// IA32_APIC_BASE.
    case apicBase
    /// A register of the local APIC's page.
    case localAPIC(LocalAPICRegister)
    /// Words of the page that are no register's.
    case restOfPage
    /// The general registers with RIP and RFLAGS.
    case general
    /// CR0, CR2, CR3, CR4 and EFER.
    case control
    /// CR8.
    case taskPriority
    /// The bitmap of KVM_GET_SREGS, and the PAE page-directory pointers.
    case specials
    /// Segments and tables.
    case segments
    /// Breakpoints.
    case debug
    /// Exceptions, interrupts and NMIs that are pending or being delivered.
    case events
    /// The shadows of STI and MOV SS.
    case shadow
    /// System management mode.
    case systemManagement
    /// The model-specific registers; those of the list that are there are known in any case.
    case msrs
    /// IA32_TSC_DEADLINE.
    case deadline
    /// What CPUID answers.
    case cpuid
    /// The frequency of the TSC.
    case tscFrequency
    /// The extended state, and that of a nested hypervisor.
    case extended
    /// What KVM was told of the vCPU: the vAPIC address.
    case settings
  }

  /// A vCPU.
  ///
  /// - Parameters:
  ///   - index: its index.
  ///   - values: its state.
  ///   - absent: what of it means nothing.
  public init(index: Int, values: VCPUState, absent: Set<Part> = []) {
    self.index = index
    self.values = values
    self.absent = absent
  }

  /// A vCPU of which nothing is known but its number, which it most likely has for an APIC id, too.
  public init(unknown index: Int) {
    self.init(index: index, values: VCPUState(), absent: Self.everything)
    values.id = UInt32(truncatingIfNeeded: index)
  }

  private static let everything: Set<Part> = {
    let others: Set<Part> = [
      .id, .mpState, .apicBase, .restOfPage, .general, .control, .taskPriority, .specials, .segments, .debug, .events,
      .shadow, .systemManagement, .msrs, .deadline, .cpuid, .tscFrequency, .extended, .settings,
    ]
    return others.union(LocalAPICRegister.allCases.map { .localAPIC($0) })
  }()

  /// Whether the file holds a part.
  public func knows(_ part: Part) -> Bool { !absent.contains(part) }

  /// Takes parts as known.
  public mutating func fill(_ parts: Part...) { absent.subtract(parts) }
}

extension InspectableVCPU {
  /// A register of the local APIC; nil where it is not known.
  public subscript(register: LocalAPICRegister) -> UInt32? {
    knows(.localAPIC(register)) ? values.localAPIC[register] : nil
  }

  /// Sets a register of the local APIC, which is known from then on.
  public mutating func set(_ register: LocalAPICRegister, to value: UInt32) {
    values.localAPIC[register] = value
    fill(.localAPIC(register))
  }

  /// Takes a whole register page.
  public mutating func set(page: LocalAPICState) {
    values.localAPIC = page
    for register in LocalAPICRegister.allCases { fill(.localAPIC(register)) }
    fill(.restOfPage)
  }

  /// Its number, which is its APIC ID after a reset; nil where it is not known.
  public var id: UInt32? { knows(.id) ? values.id : nil }
  /// Whether it runs, halts or waits; nil where it is not known.
  public var mpState: MPState? { knows(.mpState) ? values.mpState : nil }
  /// IA32_APIC_BASE; nil where it is not known.
  public var apicBase: APICBase? { knows(.apicBase) ? values.specialRegisters.apicBase : nil }
  /// General registers; nil where they are not known.
  public var registers: Registers? { knows(.general) ? values.registers : nil }
  /// RFLAGS.IF; nil where it is not known.
  public var allowsInterrupts: Bool? { registers.map { $0.rflags >> 9 & 1 == 1 } }
  /// What is pending or being delivered; nil where it is not known.
  public var events: VCPUEvents? { knows(.events) ? values.events : nil }
  /// The shadows of STI (2) and MOV SS (1); nil where they are not known.
  public var shadow: UInt8? { knows(.shadow) ? values.events.interrupt.shadow : nil }
  /// What CPUID answers; nil where it is not known.
  public var cpuid: [CPUIDEntry]? { knows(.cpuid) && !values.cpuid.isEmpty ? values.cpuid : nil }
  /// The frequency of its TSC in kHz; nil where it is not known.
  public var tscKHz: UInt32? { knows(.tscFrequency) && values.tscKHz > 0 ? values.tscKHz : nil }
  /// IA32_TSC_DEADLINE; nil where it is not known.
  public var deadline: UInt64? { knows(.deadline) ? values.msr(MSR.tscDeadline) : nil }
  /// The TSC; nil where it is not known.
  public var tsc: UInt64? { values.msr(MSR.tsc) }

  /// An entry of the local vector table; nil where it is not known.
  public func lvt(_ source: LocalVector) -> LVTEntry? { self[source.register].map { LVTEntry(rawValue: $0) } }
  /// The IRR; nil where it is not known.
  public var interruptRequest: VectorSet? {
    knows(.localAPIC(.interruptRequest)) ? values.localAPIC.interruptRequest : nil
  }
  /// The ISR; nil where it is not known.
  public var inService: VectorSet? { knows(.localAPIC(.inService)) ? values.localAPIC.inService : nil }
  /// The TMR; nil where it is not known.
  public var triggerModes: VectorSet? { knows(.localAPIC(.triggerModes)) ? values.localAPIC.triggerModes : nil }
  /// The leaf of CPUID; nil where it is not known or there is none.
  public func leaf(_ function: UInt32, index: UInt32 = 0) -> CPUIDEntry? {
    cpuid?.first { $0.function == function && $0.index == index }
  }
}

extension InspectableVCPU.Part {
  /// The part for a person.
  public var words: String {
    switch self {
    case .id: "vCPU id"
    case .mpState: "MP_STATE"
    case .apicBase: "IA32_APIC_BASE"
    case .localAPIC(let register): register.mnemonic
    case .restOfPage: "the rest of the register page"
    case .general: "general registers and RFLAGS"
    case .control: "control registers"
    case .taskPriority: "CR8"
    case .specials: "INTERRUPT_BITMAP"
    case .segments: "segments"
    case .debug: "debug registers"
    case .events: "pending events"
    case .shadow: "interrupt shadow"
    case .systemManagement: "SMM"
    case .msrs: "other MSRs"
    case .deadline: "IA32_TSC_DEADLINE"
    case .cpuid: "CPUID"
    case .tscFrequency: "TSC frequency"
    case .extended: "extended state"
    case .settings: "vAPIC address"
    }
  }
}

extension Set<InspectableVCPU.Part> {
  /// The parts for a person, registers in the order of the page, EOI and SELF IPI left out, which hold nothing.
  public var words: [String] {
    let registers = LocalAPICRegister.allCases.filter { ![.endOfInterrupt, .selfIPI].contains($0) }
    let absent = registers.filter { contains(.localAPIC($0)) }
    let page = absent.count == registers.count ? ["local APIC registers"] : absent.map(\.mnemonic)
    let others: [InspectableVCPU.Part] = [
      .id, .mpState, .apicBase, .general, .control, .taskPriority, .specials, .segments, .debug, .events, .shadow,
      .systemManagement, .msrs, .deadline, .cpuid, .tscFrequency, .extended, .settings,
    ]
    return page + others.filter { contains($0) }.map(\.words)
  }
}

/// Parts as KVM answered them, which programs keep that keep its structures.
extension InspectableVCPU {
  mutating func take(_ registers: Registers) {
    values.registers = registers
    fill(.general)
  }

  mutating func take(_ registers: SpecialRegisters) {
    values.specialRegisters = registers
    fill(.control, .segments, .taskPriority, .apicBase, .specials)
  }

  mutating func take(_ registers: DebugRegisters) {
    values.debugRegisters = registers
    fill(.debug)
  }

  mutating func take(_ events: VCPUEvents) {
    values.events = events
    fill(.events, .shadow, .systemManagement)
  }

  mutating func take(_ state: MPState?) {
    guard let state else { return }
    values.mpState = state
    fill(.mpState)
  }

  mutating func take(_ leaves: [CPUIDEntry]) {
    values.cpuid = leaves
    fill(.cpuid)
  }

  mutating func take(_ registers: [MSREntry]) {
    values.msrs = registers
    fill(.msrs, .deadline)
  }

  mutating func take(tscKHz frequency: UInt32?) {
    guard let frequency, frequency > 0 else { return }
    values.tscKHz = frequency
    fill(.tscFrequency)
  }
}
