public import APIC
public import KVM

/// Everything of a machine that can be seen without changing it.
public struct VisibleState: Sendable {
  /// What is seen of a vCPU.
  public struct VCPU: Sendable {
    /// Its local APIC's page.
    public var page = LocalAPICState()
    /// The counts that the current-count register may show.
    public var count: ClosedRange<UInt32> = 0...0
    /// IA32_APIC_BASE.
    public var base: UInt64 = 0
    /// IA32_TSC_DEADLINE.
    public var deadline: UInt64 = 0
    /// How many NMIs wait.
    public var nmis: UInt8 = 0

    init() {}
  }

  /// The vCPUs.
  public var vcpus: [VCPU]
  /// The vCPU whose MSRs and events are looked at, of the others they stay as they were; nil for all. A system call that
  /// loads a vCPU takes most of an exploration's time.
  public var turn: Int?
  /// The IOAPIC.
  public var ioapic: IOAPICState
  /// The master.
  public var master = PICState()
  /// The slave.
  public var slave = PICState()

  /// Whether the MSRs and events of a vCPU are looked at now.
  func looksInto(_ vcpu: Int) -> Bool { turn == nil || turn == vcpu }

  /// Nothing yet.
  public init(vcpus: Int) {
    self.vcpus = Array(repeating: VCPU(), count: vcpus)
    ioapic = IOAPICState(entries: [])
  }
}

/// A difference between what the model expects and what was seen.
public struct StateMismatch: Hashable, Sendable {
  /// Where, as in `vCPU 0 TPR` and `answer`.
  public var place: String
  /// What the model has.
  public var expected: String
  /// What the other has.
  public var seen: String

  init(_ place: String, _ expected: some CustomStringConvertible, _ seen: some CustomStringConvertible) {
    self.place = place
    self.expected = expected.description
    self.seen = seen.description
  }
}

extension VisibleState {
  /// Whether what was seen is what the model expects. It is asked after each step, so it makes nothing.
  func allows(_ seen: VisibleState) -> Bool {
    for vcpu in vcpus.indices {
      guard vcpus[vcpu].base == seen.vcpus[vcpu].base, vcpus[vcpu].deadline == seen.vcpus[vcpu].deadline,
        vcpus[vcpu].nmis == seen.vcpus[vcpu].nmis, vcpus[vcpu].count.contains(seen.vcpus[vcpu].count.lowerBound)
      else { return false }
      for index in Self.comparedWords where vcpus[vcpu].page.registers[index] != seen.vcpus[vcpu].page.registers[index]
      {
        return false
      }
    }
    return ioapic == seen.ioapic && master == seen.master && slave == seen.slave
  }

  /// The words of the page that are registers; the current count moves and is compared apart.
  private static let comparedWords: [Int] = LocalAPICRegister.allCases.flatMap { register -> [Int] in
    register == .currentCount ? [] : (0..<register.wordCount).map { Int(register.offset(word: $0) / 4) }
  }

  /// What differs, in words.
  func mismatches(_ seen: VisibleState) -> [StateMismatch] {
    var mismatches: [StateMismatch] = []
    func compare(_ place: String, _ expected: some FixedWidthInteger, _ seen: some FixedWidthInteger) {
      if UInt64(expected) != UInt64(seen) { mismatches.append(StateMismatch(place, hex(expected), hex(seen))) }
    }
    for (number, pair) in zip(vcpus, seen.vcpus).enumerated() {
      let name = "vCPU \(number) "
      compare(name + "IA32_APIC_BASE", pair.0.base, pair.1.base)
      compare(name + "IA32_TSC_DEADLINE", pair.0.deadline, pair.1.deadline)
      compare(name + "pending NMIs", pair.0.nmis, pair.1.nmis)
      if !pair.0.count.contains(pair.1.count.lowerBound) {
        mismatches.append(StateMismatch(name + "CURRENT_COUNT", "\(pair.0.count)", "\(pair.1.count.lowerBound)"))
      }
      mismatches += Self.mismatches(name, pair.0.page, pair.1.page)
    }
    compare("IOAPIC ID", ioapic.id, seen.ioapic.id)
    compare("IOAPIC IOREGSEL", ioapic.registerSelect, seen.ioapic.registerSelect)
    compare("IOAPIC IRR", ioapic.irr, seen.ioapic.irr)
    compare("IOAPIC address", ioapic.baseAddress, seen.ioapic.baseAddress)
    for (pin, pair) in zip(ioapic.entries, seen.ioapic.entries).enumerated() {
      compare("IOAPIC pin \(pin)", pair.0.rawValue, pair.1.rawValue)
    }
    for (name, pair) in [("master PIC", (master, seen.master)), ("slave PIC", (slave, seen.slave))] {
      compare(name + " IRR", pair.0.irr, pair.1.irr)
      compare(name + " ISR", pair.0.isr, pair.1.isr)
      compare(name + " IMR", pair.0.imr, pair.1.imr)
      compare(name + " last levels", pair.0.lastIRR, pair.1.lastIRR)
      compare(name + " ELCR", pair.0.elcr, pair.1.elcr)
      if pair.0 != pair.1, mismatches.isEmpty {
        mismatches.append(StateMismatch(name, "\(pair.0)", "\(pair.1)"))
      }
    }
    return mismatches
  }

  private static func mismatches(_ name: String, _ expected: LocalAPICState, _ seen: LocalAPICState) -> [StateMismatch]
  {
    var mismatches: [StateMismatch] = []
    for register in LocalAPICRegister.allCases where register != .currentCount {
      if register.wordCount == 1, expected[register] != seen[register] {
        mismatches.append(StateMismatch(name + register.mnemonic, hex(expected[register]), hex(seen[register])))
      }
    }
    for (set, expected, seen) in [
      ("ISR", expected.inService, seen.inService), ("TMR", expected.triggerModes, seen.triggerModes),
      ("IRR", expected.interruptRequest, seen.interruptRequest),
    ] where expected != seen {
      mismatches.append(StateMismatch(name + set, expected, seen))
    }
    return mismatches
  }
}
