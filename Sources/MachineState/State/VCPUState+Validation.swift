import APIC
import JSON
import KVM
import Support

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
