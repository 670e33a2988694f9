import APIC
import KVM

extension PICState {
  typealias Register = RegisterDescription<PICState>

  /// The chip's registers by the data sheet's names.
  ///
  /// - Parameter first: the number of its first line, 0 or 8.
  static func registers(from first: Int) -> [Register] {
    func lines(_ name: String, _ title: String, _ path: any Sendable & KeyPath<PICState, UInt8>) -> Register {
      Register(name, title) {
        .bits($0[keyPath: path])
      } meaning: {
        Pins.list($0[keyPath: path], from: first)
      }
    }
    func flag(_ name: String, _ title: String, _ path: any Sendable & KeyPath<PICState, UInt8>) -> Register {
      Register(name, title) { $0[keyPath: path] <= 1 ? .flag($0[keyPath: path] == 1) : .bits($0[keyPath: path]) }
    }
    return [
      lines("IRR", "Interrupt Request Register", \.irr), lines("IMR", "Interrupt Mask Register", \.imr),
      lines("ISR", "In-Service Register", \.isr), lines("LAST_IRR", "Levels last seen", \.lastIRR),
      lines("ELCR", "Edge/Level Control Register: level-triggered lines", \.elcr),
      lines("ELCR_MASK", "Lines that can be level-triggered", \.elcrMask),
      Register("ICW2", "Vector of the first line") {
        .bits($0.irqBase)
      } meaning: {
        "lines \(first) to \(first + 7) are vectors \(hex($0.irqBase, digits: 2)) to \(hex($0.irqBase &+ 7, digits: 2))"
      },
      Register("PRIORITY_ADD", "Line of highest priority") { .count(Int64($0.priorityAdd)) },
      Register("READ_SELECT", "What a read of the command port gives") {
        .words($0.readRegisterSelect == 0 ? "IRR" : "ISR")
      },
      flag("POLL", "The next read polls", \.poll), flag("SMM", "Special mask mode", \.specialMask),
      Register("INIT_STATE", "Initialization command word that comes next") { state in
        switch state.initState {
        case 0: .words("none")
        case 1: .words("ICW2")
        case 2: .words("ICW3")
        case 3: .words("ICW4")
        default: .bits(state.initState)
        }
      },
      flag("AEOI", "Automatic end of interrupt", \.autoEOI),
      flag("ROTATE", "Rotation of priorities at an automatic end of interrupt", \.rotateOnAutoEOI),
      flag("SFNM", "Special fully nested mode", \.specialFullyNestedMode),
      flag("IC4", "Initialization takes an ICW4", \.init4),
    ]
  }

  /// The registers that QEMU's monitor prints, too (`info pic`).
  static let printed: Set<String> = ["IRR", "IMR", "ISR", "ELCR", "ICW2", "PRIORITY_ADD", "READ_SELECT", "SFNM"]

  /// The line that the chip passes on, 0 to 7; nil for none (`pic_get_irq` in arch/x86/kvm/i8259.c, which leaves special
  /// mask mode out).
  ///
  /// - Parameter isMaster: whether it is the chip with the cascade.
  func pendingLine(isMaster: Bool) -> UInt8? {
    guard let line = highest(irr & ~imr) else { return nil }
    var blocking = isr
    if isMaster, specialFullyNestedMode != 0 { blocking &= ~(1 << PIC.cascadeLine) }
    guard let served = highest(blocking) else { return line }
    return rank(line) < rank(served) ? line : nil
  }

  private func highest(_ lines: UInt8) -> UInt8? {
    (0..<8 as Range<UInt8>).filter { lines >> $0 & 1 == 1 }.min { rank($0) < rank($1) }
  }

  private func rank(_ line: UInt8) -> UInt8 { (line &- priorityAdd) & 7 }
}
