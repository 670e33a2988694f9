import APIC
public import KVM
import MachineState
import Support
import VMM

/// Why a guest that failed did so, as far as its state says: where each vCPU was, what it would have taken next and what held
/// the rest back, and the ways of the lines that matter.
public struct FailureSituation: Codable, Sendable {
  /// One a vCPU.
  public var vcpus: [VCPU]
  /// The lines that something raises, or that lead to a vCPU.
  public var lines: [LineReport]

  /// A vCPU that a guest failed on.
  public struct VCPU: Codable, Sendable {
    /// Its index.
    public var vcpu: Int
    /// `runnable`, `halted`, `uninitialized` and so on (KVM_GET_MP_STATE).
    public var state: MPState
    /// The address of its next instruction, RIP in its code segment.
    public var address: UInt64
    /// The same by a function of the image, such as `main+0x1e`; absent where none is near.
    public var place: String?
    /// The bytes of its next instructions in hexadecimal digits; absent where they cannot be read.
    public var code: String?
    /// What it would take next, and what waits.
    public var delivery: DeliveryReport
    /// Its timer.
    public var timer: TimerReport
    /// An interrupt that it was given and has no handler for, in words; absent where there is none.
    public var missingHandler: String?
  }
}

extension FailureSituation {
  /// How many bytes at the next instruction are told.
  private static let codeLength = 16

  /// Looks at a machine that has ended.
  ///
  /// - Parameters:
  ///   - machine: the machine.
  ///   - state: its state.
  init(_ machine: Machine, _ state: MachineState) {
    let symbols = machine.symbols
    let pic = state.pics.flatMap { PICRequest($0) }
    vcpus = state.vcpus.enumerated().map { index, vcpu in
      let address = vcpu.specialRegisters.cs.base &+ vcpu.registers.rip
      let code = machine.bytes(at: address, count: Self.codeLength, of: index)
      return VCPU(
        vcpu: index, state: vcpu.mpState, address: address, place: symbols?[address],
        code: code.isEmpty ? nil : code.map { Self.digits($0) }.joined(separator: " "),
        delivery: DeliveryReport(vcpu, pic: pic), timer: TimerReport(vcpu, busCycle: state.apicBusCycle),
        missingHandler: Self.missingHandler(vcpu, machine, index))
    }
    lines = LineReport.all(of: state, Processors(state)).filter(\.matters)
  }

  private static func digits(_ byte: UInt8) -> String { String(hex(byte, digits: 2).dropFirst(2)) }

  /// The vector in service that the IDT has no gate for: what a triple fault most often comes of.
  private static func missingHandler(_ vcpu: VCPUState, _ machine: Machine, _ index: Int) -> String? {
    guard let vector = vcpu.localAPIC.inService.highest, vcpu.specialRegisters.cr0 & 1 == 1 else { return nil }
    let table = vcpu.specialRegisters.idt
    let size: UInt64 = vcpu.specialRegisters.efer >> 10 & 1 == 1 ? 16 : 8
    let offset = UInt64(vector.rawValue) * size
    guard offset + size - 1 <= UInt64(table.limit) else {
      return "no handler for interrupt \(vector): the IDT ends before it, with its limit \(hex(table.limit))"
    }
    let gate = machine.bytes(at: table.base &+ offset, count: Int(size), of: index)
    guard gate.count == Int(size) else {
      return "no handler for interrupt \(vector): its gate at \(hex(table.base &+ offset)) is not mapped"
    }
    return gate[5] & 0x80 == 0 ? "no handler for interrupt \(vector): its gate in the IDT is not present" : nil
  }
}

extension LineReport {
  /// Whether something raises it, or it leads to a vCPU, or waits.
  fileprivate var matters: Bool {
    let leads = ways.contains { $0.status != nil || $0.obstacle == nil && $0.recipients?.targets.isEmpty == false }
    return leads || !sources.isEmpty
  }
}

extension FailureSituation {
  /// Where every vCPU was and what it waited for, then the lines that matter, for a person.
  func lines(_ style: Style) -> [TextLine] {
    var text: [TextLine] = []
    for vcpu in vcpus { text += vcpu.lines(style) }
    if !lines.isEmpty { text += LineReport.lines(lines) }
    return text
  }
}

extension FailureSituation.VCPU {
  func lines(_ style: Style) -> [TextLine] {
    let location: TextLine = place.map { "\($0), " } ?? ""
    let code: TextLine = code.map { ": \($0)" } ?? ""
    var lines: [TextLine] = ["  " + style.bold("vCPU \(vcpu)") + " \(state.name) at \(location)\(hex(address))\(code)"]
    if let missingHandler { lines.append("    " + style.red("\(missingHandler)")) }
    lines += delivery.rows(nothing: state.nothingToTake, style).map { "    \($0.label): \($0.text)" }
    let mask: TextLine = timer.isMasked && timer.phase == .stopped ? ", masked" : ""
    lines.append("    timer: \(timer.mode), vector \(hex(timer.vector, digits: 2)): \(timer.text)\(mask)")
    return lines
  }
}

extension RecordReport {
  /// An exception that the guest did not expect. Vectors from 32 on are interrupts that it has no handler for.
  func exceptionLine() -> TextLine {
    let address: TextLine = place.map { "\($0), \(hex(value ?? 0))" } ?? "\(hex(value ?? 0))"
    guard let vector, vector >= 32 else {
      return "exception \(vector ?? 0), error code \(hex(errorCode ?? 0)), at \(address)"
    }
    return "no handler for interrupt \(hex(vector, digits: 2)) at \(address)"
  }
}
