/// What the manual calls an instruction that KVM's emulator is known not to have: a few, which kernels use (kernel,
/// arch/x86/kvm/emulate.c, the opcode tables).
struct InstructionName {
  let text: String

  /// Looks at an instruction's bytes; nil for one that has no name here.
  init?(_ bytes: [UInt8]) {
    // Lock, operand size, repeats (SDM volume 2A, section 2.1.1), then REX.
    let prefixes: Set<UInt8> = [0xf0, 0x66, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x67]
    var rest = bytes.drop { prefixes.contains($0) }
    let rex = rest.first.flatMap { $0 & 0xf0 == 0x40 ? $0 : nil }
    if rex != nil { rest = rest.dropFirst() }
    guard let name = Self.name(Array(rest), isWide: (rex ?? 0) & 8 != 0) else { return nil }
    text = name
  }

  private static func name(_ bytes: [UInt8], isWide: Bool) -> String? {
    switch (bytes.first, bytes.dropFirst().first, bytes.dropFirst(2).first.map { $0 >> 3 & 7 }) {
    case (0xcc, _, _): "INT3"
    case (0x0f, 0xc7, 1): isWide ? "CMPXCHG16B" : "CMPXCHG8B"
    case (0x0f, 0xc7, 3): "XRSTORS"
    case (0x0f, 0xc7, 4): "XSAVEC"
    case (0x0f, 0xc7, 5): "XSAVES"
    case (0x0f, 0xae, 4): "XSAVE"
    case (0x0f, 0xae, 5): "XRSTOR"
    case (0x0f, 0xae, 6): "XSAVEOPT"
    default: nil
    }
  }
}
