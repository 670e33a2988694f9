import APIC
import KVM
import MachineState
import Support

/// The text of QEMU's monitor: what `info lapic`, `info pic` and `info registers` print, of one vCPU or several, in any
/// order and among other lines.
struct MonitorText {
  /// The vCPUs by the numbers that QEMU prints.
  private(set) var vcpus: [Int: InspectableVCPU] = [:]
  private(set) var pics: [Int: PICState] = [:]
  private(set) var ioapic: IOAPICState?
  /// Whether the text of more than the first IOAPIC is there.
  private(set) var hasOtherIOAPICs = false

  private var apicOwner: Int?
  private var registerOwner: Int?
  private var chip: Int?

  /// How many vCPUs QEMU can have at the most.
  private static let vcpuLimit = 4096
  /// So many vCPUs have fewer lines, and what is around them may have some.
  private static let lineLimit = 1 << 19

  /// Takes a text apart.
  init(_ text: [UInt8]) throws(ForeignStateError) {
    var (offset, lines) = (0, 0)
    // One line at a time: a text of nothing but newlines takes no more room than another.
    while offset < text.count {
      let line = text[offset...].prefix { $0 != UInt8(ascii: "\n") }
      if MonitorLine.mayBegin(line) {
        lines += 1
        guard lines <= Self.lineLimit else {
          throw ForeignStateError(
            .monitor, at: UInt64(offset), "at most \(Self.lineLimit) lines of the monitor's expected")
        }
        do throws(MonitorLineError) {
          try take(MonitorLine(line))
        } catch {
          let line = error.line.excerpt.debugDescription
          throw ForeignStateError(.monitor, at: UInt64(offset), "\(error.expected) expected in the line \(line)")
        }
      }
      offset += line.count + 1
    }
  }

  /// Whether nothing of the monitor's was in the text.
  var isEmpty: Bool { vcpus.isEmpty && pics.isEmpty && ioapic == nil }

  private mutating func take(_ line: MonitorLine) throws(MonitorLineError) {
    if let number = try line.number(after: "dumping local APIC state for CPU") {
      apicOwner = try owner(number, line)
    } else if let number = try line.number(after: "CPU#") {
      registerOwner = try owner(number, line)
    } else if line.hasPrefix("ioapic") {
      try takeChip(line)
    } else if line.hasPrefix("pic0:") || line.hasPrefix("pic1:") {
      try takePIC(line)
    } else if chip == 0, line.hasPrefix("pin") || line.hasPrefix("IRR") {
      try takePin(line)
    } else if let apicOwner, var vcpu = vcpus[apicOwner], try vcpu.take(lapic: line) {
      vcpus[apicOwner] = vcpu
    } else {
      // Without a heading it is the first one's.
      let index = registerOwner ?? 0
      var vcpu = vcpus[index] ?? InspectableVCPU(unknown: index)
      if try vcpu.take(registers: line) { vcpus[index] = vcpu }
    }
  }

  private mutating func owner(_ number: UInt64, _ line: MonitorLine) throws(MonitorLineError) -> Int {
    guard number < UInt64(Self.vcpuLimit) else { throw line.expected("a vCPU's number below \(Self.vcpuLimit)") }
    let index = Int(number)
    if vcpus[index] == nil { vcpus[index] = InspectableVCPU(unknown: index) }
    chip = nil
    return index
  }

  private mutating func takeChip(_ line: MonitorLine) throws(MonitorLineError) {
    guard let number = try line.number(after: "ioapic") else { return }
    (chip, apicOwner) = (Int(truncatingIfNeeded: number), nil)
    guard number == 0 else {
      hasOtherIOAPICs = true
      return
    }
    ioapic = IOAPICState(
      registerSelect: UInt32(truncatingIfNeeded: try line.value(of: "sel=") ?? 0),
      id: UInt32(truncatingIfNeeded: try line.value(of: "id=") ?? 0),
      entries: Array(repeating: .masked, count: IOAPIC.pinCount))
  }

  private mutating func takePin(_ line: MonitorLine) throws(MonitorLineError) {
    if let pin = try line.number(after: "pin") {
      guard pin < UInt64(IOAPIC.pinCount) else { throw line.expected("a pin below \(IOAPIC.pinCount)") }
      guard let entry = try line.word(2) else { throw line.expected("an entry of 64 bits") }
      ioapic?.entries[Int(pin)] = RedirectionEntry(rawValue: entry)
    } else if line.hasPrefix("IRR") {
      ioapic?.irr = try line.numbers(below: 32).reduce(0) { $0 | 1 << UInt32($1.number) }
    }
  }

  private mutating func takePIC(_ line: MonitorLine) throws(MonitorLineError) {
    func byte(_ name: String) throws(MonitorLineError) -> UInt8 {
      guard let value = try line.value(of: name, isHexadecimal: true) else { throw line.expected(name) }
      return UInt8(truncatingIfNeeded: value)
    }
    var state = PICState()
    (state.irr, state.imr, state.isr) = (try byte("irr="), try byte("imr="), try byte("isr="))
    (state.priorityAdd, state.irqBase) = (try byte("hprio="), try byte("irq_base="))
    (state.readRegisterSelect, state.elcr) = (try byte("rr_sel="), try byte("elcr="))
    state.specialFullyNestedMode = try byte("fnm=")
    pics[line.hasPrefix("pic0:") ? 0 : 1] = state
    apicOwner = nil
  }
}
