import APIC
import Support

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
    var lines: [TextLine] = ["  " + style.bold("vCPU \(vcpu)") + " \(state) at \(location)\(hex(address))\(code)"]
    if let missingHandler { lines.append("    " + style.red("\(missingHandler)")) }
    lines += delivery.rows(nothing: Self.nothing(in: state), style).map { "    \($0.label): \($0.text)" }
    let mask: TextLine = timer.isMasked && timer.phase == .stopped ? ", masked" : ""
    lines.append("    timer: \(timer.mode), vector \(hex(timer.vector, digits: 2)): \(timer.text)\(mask)")
    return lines
  }

  /// What a person reads where nothing is to be taken.
  private static func nothing(in state: String) -> String { VCPUInspection.nothing(in: state) }
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
