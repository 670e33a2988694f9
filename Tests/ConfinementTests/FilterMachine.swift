import Confinement
import Testing

/// Classic BPF over a system call's data, as the kernel interprets it (net/core/filter.c), as far as filters use it.
struct FilterMachine {
  /// What a program says of a call.
  enum Answer: Hashable {
    case allow
    case error(Int32)
    case signal
  }

  /// AUDIT_ARCH_X86_64 and AUDIT_ARCH_I386 (linux/audit.h).
  static let (amd64, i386): (UInt32, UInt32) = (0xc000_003e, 0x4000_0003)

  let program: FilterProgram

  init(_ filter: SystemCallFilter) { program = FilterProgram(filter) }

  /// Runs the program; nil where it is none that the kernel would take.
  func answer(to number: UInt32, _ arguments: [UInt64] = [], architecture: UInt32 = amd64) -> Answer? {
    let words = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
    // struct seccomp_data: number, architecture, instruction pointer, six arguments.
    let data: [UInt32] =
      [number, architecture, 0, 0]
      + words.flatMap { word -> [UInt32] in [UInt32(truncatingIfNeeded: word), UInt32(word >> 32)] }
    var (accumulator, position): (UInt32, Int) = (0, 0)
    while program.instructions.indices.contains(position) {
      let instruction = program.instructions[position]
      position += 1
      func branch(_ isTrue: Bool) { position += Int(isTrue ? instruction.ifTrue : instruction.ifFalse) }
      switch instruction.code {
      case 0x20: accumulator = data[Int(instruction.operand) / 4]
      case 0x54: accumulator &= instruction.operand
      case 0x05: position += Int(instruction.operand)
      case 0x15: branch(accumulator == instruction.operand)
      case 0x35: branch(accumulator >= instruction.operand)
      case 0x06:
        switch instruction.operand & 0xffff_0000 {
        case 0x7fff_0000: return .allow
        case 0x0005_0000: return .error(Int32(instruction.operand & 0xffff))
        case 0x0003_0000: return .signal
        default: return nil
        }
      default: return nil
      }
    }
    return nil
  }
}
