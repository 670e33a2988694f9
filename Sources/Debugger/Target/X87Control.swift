import KVM
import Support

/// The x87 registers beside the stack, each 32 bits wide to gdb (SDM volume 1, section 8.1; table 10-2 for FXSAVE).
enum X87Control: String, CaseIterable, Sendable {
  case fctrl, fstat, ftag, fiseg, fioff, foseg, fooff, fop

  var register: TargetRegister {
    TargetRegister(rawValue, size: 4, type: "int", .core) { file in
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(read(file.fpu))
      return bytes
    } write: { file, bytes in
      write(UInt32(truncatingIfNeeded: bytes.littleEndian), to: &file.fpu)
    }
  }

  private func read(_ fpu: FPUState) -> UInt32 {
    switch self {
    case .fctrl: UInt32(fpu.fcw)
    case .fstat: UInt32(fpu.fsw)
    case .ftag: UInt32(fpu.fullTagWord)
    case .fiseg: UInt32(truncatingIfNeeded: fpu.lastIP >> 32)
    case .fioff: UInt32(truncatingIfNeeded: fpu.lastIP)
    case .foseg: UInt32(truncatingIfNeeded: fpu.lastDP >> 32)
    case .fooff: UInt32(truncatingIfNeeded: fpu.lastDP)
    case .fop: UInt32(fpu.lastOpcode)
    }
  }

  private func write(_ value: UInt32, to fpu: inout FPUState) {
    switch self {
    case .fctrl: fpu.fcw = UInt16(truncatingIfNeeded: value)
    case .fstat: fpu.fsw = UInt16(truncatingIfNeeded: value)
    case .ftag: fpu.setTags(from: UInt16(truncatingIfNeeded: value))
    case .fiseg: fpu.lastIP = UInt64(value) << 32 | (fpu.lastIP & 0xffff_ffff)
    case .fioff: fpu.lastIP = (fpu.lastIP & ~0xffff_ffff) | UInt64(value)
    case .foseg: fpu.lastDP = UInt64(value) << 32 | (fpu.lastDP & 0xffff_ffff)
    case .fooff: fpu.lastDP = (fpu.lastDP & ~0xffff_ffff) | UInt64(value)
    case .fop: fpu.lastOpcode = UInt16(truncatingIfNeeded: value)
    }
  }
}

extension FPUState {
  private enum Tag: UInt16 {
    case valid, zero, special, empty
  }

  /// The tag word with two bits a register, which FXSAVE keeps one of (SDM volume 1, section 10.5.1.1).
  var fullTagWord: UInt16 {
    (0..<8).reduce(0) { $0 | tag(ofPhysical: $1).rawValue << UInt16(2 * $1) }
  }

  /// Keeps of a tag word what FXSAVE does: whether each register is in use.
  mutating func setTags(from word: UInt16) {
    ftwx = (0..<8).reduce(0) { word >> UInt16(2 * $1) & 3 == Tag.empty.rawValue ? $0 : $0 | 1 << UInt8($1) }
  }

  private func tag(ofPhysical index: Int) -> Tag {
    guard ftwx >> UInt8(index) & 1 == 1 else { return .empty }
    // The registers are kept from the top of the stack on.
    let place = (index - Int(fsw >> 11 & 7)) & 7
    let value = fpr[16 * place..<16 * place + 10]
    let significand = value.littleEndian
    let exponent = UInt16(value[16 * place + 9] & 0x7f) << 8 | UInt16(value[16 * place + 8])
    if exponent == 0, significand == 0 { return .zero }
    return exponent == 0 || exponent == 0x7fff || significand >> 63 == 0 ? .special : .valid
  }
}
