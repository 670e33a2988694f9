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

/// A line of the monitor's text, without blanks at its ends.
struct MonitorLine {
  let text: String
  private let words: [Substring]

  init(_ bytes: ArraySlice<UInt8>) {
    text = String(Substring(decoding: bytes, as: UTF8.self).trimmed)
    words = text.split { $0 == " " || $0 == "\t" || $0 == "," }
  }

  /// Whether a line may be one of the monitor's: it begins with a letter that one of those does, and has their length.
  static func mayBegin(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard (4...1024).contains(bytes.count) else { return false }
    guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 }) else { return false }
    return "dCiLTSIEAPRpGFD".utf8.contains(first)
  }

  func expected(_ what: String) -> MonitorLineError { MonitorLineError(line: text, expected: what) }

  func hasPrefix(_ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

  /// The first word.
  var name: Substring { words.first ?? "" }

  /// The decimal number behind a beginning; nil for another line.
  func number(after prefix: String) throws(MonitorLineError) -> UInt64? {
    guard hasPrefix(prefix) else { return nil }
    let digits = text.dropFirst(prefix.count).drop { $0 == " " }.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits) else { throw expected("a number behind \(prefix)") }
    return number
  }

  /// A word as a hexadecimal number with or without 0x; nil where there is no such word.
  func word(_ index: Int) throws(MonitorLineError) -> UInt64? {
    guard index < words.count else { return nil }
    return try Self.hexadecimal(words[index]).orThrow(expected("a hexadecimal number"))
  }

  /// The number behind `name=`, blanks before it left out; nil where the line does not have it.
  func value(of name: String, isHexadecimal: Bool = false) throws(MonitorLineError) -> UInt64? {
    guard let place = place(behind: name) else { return nil }
    let digits = text[place...].drop { $0 == " " }.prefix { $0.isHexDigit || $0 == "x" }
    let isHexadecimal = isHexadecimal || digits.hasPrefix("0x")
    let number = isHexadecimal ? Self.hexadecimal(digits) : UInt64(digits)
    return try number.orThrow(expected("a number behind \(name)"))
  }

  /// The words behind `NAME=` of a segment or table, each a hexadecimal number, up to four of them.
  func fields(of name: String) throws(MonitorLineError) -> [UInt64]? {
    guard hasPrefix(name) else { return nil }
    let rest = text.dropFirst(name.count).drop { $0 == " " }
    guard rest.first == "=" else { return nil }
    var fields: [UInt64] = []
    for word in rest.dropFirst().split(separator: " ").prefix(4) {
      guard let number = Self.hexadecimal(word) else { break }
      fields.append(number)
    }
    return fields
  }

  /// The numbers behind the first word, each with whether `(level)` stands behind it; none for `(none)`.
  func numbers(below limit: UInt64) throws(MonitorLineError) -> [(number: UInt64, isLevel: Bool)] {
    var numbers: [(UInt64, Bool)] = []
    for word in words.dropFirst() where word != "(none)" {
      let digits = word.prefix { $0.isASCII && $0.isNumber }
      guard let number = UInt64(digits), number < limit, numbers.count < 256 else {
        throw expected("numbers below \(limit)")
      }
      numbers.append((number, word.hasSuffix("(level)")))
    }
    return numbers
  }

  /// Where the text behind a name begins that starts the line or follows a blank.
  private func place(behind name: String) -> String.Index? {
    var start = text.startIndex
    while let range = text[start...].firstRange(of: name) {
      if range.lowerBound == text.startIndex || " \t,[:(".contains(text[text.index(before: range.lowerBound)]) {
        return range.upperBound
      }
      start = range.upperBound
    }
    return nil
  }

  private static func hexadecimal(_ digits: some StringProtocol) -> UInt64? {
    UInt64(digits.hasPrefix("0x") ? String(digits.dropFirst(2)) : String(digits), radix: 16)
  }
}

/// A line that begins like one of the monitor's and goes on otherwise.
struct MonitorLineError: Error {
  var line: String
  var expected: String
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> MonitorLineError) throws(MonitorLineError) -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
