public import APIC
public import JSON
public import KVM
import Support

/// The state of one vCPU.
public struct VCPUState: Hashable, Sendable {
  /// Its number, which is its APIC ID.
  public var id: UInt32 = 0
  /// Whether it runs, halts or waits.
  public var mpState = MPState.runnable
  /// The register page of its local APIC, with the remaining count of its timer.
  public var localAPIC = LocalAPICState()
  /// What is pending or being delivered.
  public var events = VCPUEvents()
  /// General registers.
  public var registers = Registers()
  /// Segments, tables, control registers, EFER and the APIC base.
  public var specialRegisters = SpecialRegisters()
  /// Breakpoints.
  public var debugRegisters = DebugRegisters()
  /// The whole extended state in the XSAVE format without compaction; x87 and SSE are its first 512 bytes.
  public var xsave: [UInt8] = []
  /// XCR0; none on hosts without XSAVE.
  public var extendedControlRegisters: [ExtendedControlRegister] = []
  /// The model-specific registers: those of KVM's own list in its order, then those that it does not list
  /// (`ModelRegisters`), then TSC_DEADLINE.
  public var msrs: [MSREntry] = []
  /// What CPUID answers.
  public var cpuid: [CPUIDEntry] = []
  /// The state of a nested hypervisor (`struct kvm_nested_state`); nil where the host has none.
  public var nestedState: [UInt8]?
  /// What KVM was told of the vCPU and does not tell back: the vAPIC address, TPR reporting.
  public var settings = VCPUSettings()
  /// The frequency of its TSC in kHz.
  public var tscKHz: UInt32 = 0
  /// What its TSC is ahead of the host's, modulo 2^64; nil on hosts that do not tell.
  public var tscOffset: UInt64?

  /// A vCPU with every field as a reset leaves it, or 0.
  public init() {}

  /// The value of a model-specific register; nil where the state has none.
  public func msr(_ index: UInt32) -> UInt64? { msrs.first { $0.index == index }?.value }
}

/// The register page as bytes: `struct kvm_lapic_state`, which is what other programs keep of a local APIC.
extension LocalAPICState {
  /// The size of the page in bytes (KVM_APIC_REG_SIZE).
  public static let pageSize = 1024

  /// The page, each register least significant byte first.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.pageSize)
    for index in registers.indices {
      bytes.appendLittleEndian(registers[index])
    }
    return bytes
  }

  /// The registers that a page has.
  ///
  /// - Parameter page: 1024 bytes.
  /// - Throws: `MalformedState` for another number of them.
  public init(page: [UInt8]) throws(MalformedState) {
    guard page.count == Self.pageSize else {
      throw MalformedState("\(Self.pageSize) bytes expected, not \(page.count)")
    }
    self.init()
    for index in registers.indices {
      registers[index] = page.littleEndian(UInt32.self, at: 4 * index) ?? 0
    }
  }
}

extension VCPUState {
  /// Offsets in the XSAVE header (SDM volume 1, section 13.4.2).
  private static let stateBits = 512
  private static let compactionBits = 520

  /// In kHz. KVM_GET_TSC_KHZ answers with an `int`, of which a negative one is an error.
  static let highestTSCKHz = UInt32(Int32.max)

  /// Refuses a vCPU that contradicts itself.
  ///
  /// - Parameter wideIDs: whether the page has an x2APIC id in 32 bits.
  func validate(wideIDs: Bool) throws(MalformedState) {
    let base = specialRegisters.apicBase
    guard base.mode != .invalid else {
      throw MalformedState("x2APIC without the local APIC enabled", at: "specialRegisters.apicBase")
    }
    if let value = msr(MSR.apicBase), value != base.rawValue {
      throw MalformedState("it differs from specialRegisters.apicBase", at: "msrs.0x1b")
    }
    if base.mode == .x2APIC {
      let expected = wideIDs ? id : id << 24
      guard localAPIC[.id] == expected else {
        throw MalformedState(
          "the ID register holds \(hex(localAPIC[.id])), not \(hex(expected))",
          at: "localAPIC")
      }
    }
    guard specialRegisters.cr8 == UInt64(localAPIC.taskPriority.rawValue >> 4) else {
      throw MalformedState("it differs from the task priority of the local APIC", at: "specialRegisters.cr8")
    }
    guard Set(msrs.map(\.index)).count == msrs.count else {
      throw MalformedState("a register is there twice", at: "msrs")
    }
    try validateExtendedState()
    guard (1...Self.highestTSCKHz).contains(tscKHz) else {
      throw MalformedState("\(tscKHz) is not from 1 to \(Self.highestTSCKHz)", at: "tscKHz")
    }
    guard settings.vapicAddress.isMultiple(of: 4) else {
      throw MalformedState("a multiple of 4 expected", at: "settings.vapicAddress")
    }
  }

  private func validateExtendedState() throws(MalformedState) {
    guard xsave.count >= XSAVEArea.leastSize else {
      throw MalformedState("at least \(XSAVEArea.leastSize) bytes expected", at: "xsave.size")
    }
    guard Set(extendedControlRegisters.map(\.number)).count == extendedControlRegisters.count else {
      throw MalformedState("a register is there twice", at: "xcrs")
    }
    let xcr0 = extendedControlRegisters.first { $0.number == 0 }?.value
    guard xcr0.map({ $0 & 1 == 1 }) ?? true else { throw MalformedState("bit 0 of XCR0 is always 1", at: "xcrs") }
    guard word(Self.compactionBits) == 0 else {
      throw MalformedState("an area without compaction expected (XCOMP_BV is not 0)", at: "xsave.data")
    }
  }

  private func word(_ offset: Int) -> UInt64 {
    xsave[offset..<offset + 8].littleEndian
  }
}
