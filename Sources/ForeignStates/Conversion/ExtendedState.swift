import Support

/// x87, SSE and AVX in the XSAVE format without compaction (SDM volume 1, 13.4), made of what QEMU keeps of them.
struct ExtendedState {
  private(set) var bytes = [UInt8](repeating: 0, count: 4096)

  /// Takes the section `cpu`.
  init(_ device: QEMUDevice) {
    func value(_ name: String) -> UInt64 { device.number("env." + name) ?? 0 }
    put(UInt16(truncatingIfNeeded: value("fpuc")), at: 0)
    put(UInt16(truncatingIfNeeded: value("fpus_vmstate")), at: 2)
    // QEMU's tag has a bit for each register that is empty, XSAVE's one for each that is not.
    bytes[4] = ~UInt8(truncatingIfNeeded: value("fptag_vmstate"))
    put(UInt32(truncatingIfNeeded: value("mxcsr")), at: 24)
    put(UInt32(0xffff), at: 28)
    for index in 0..<8 {
      // The mantissa's 64 bits, then sign and exponent, most significant byte first.
      guard let number = device.fields["env.fpregs[\(index)].tmp"], number.count == 10 else { continue }
      for (offset, byte) in (number[..<8].reversed() + number[8...].reversed()).enumerated() {
        bytes[32 + 16 * index + offset] = byte
      }
    }
    for index in 0..<16 {
      for half in 0..<2 {
        put(value("xmm_regs[0][\(index)]._q_ZMMReg[\(half)]"), at: 160 + 16 * index + 8 * half)
        put(value("xmm_regs[1][\(index)]._q_ZMMReg[\(half + 2)]"), at: 576 + 16 * index + 8 * half)
      }
    }
    // XSTATE_BV: x87 and SSE are always in use, AVX where the upper halves are.
    let hasUpperHalves = value("xcr0") & 4 != 0 && bytes[576..<832].contains { $0 != 0 }
    put(UInt64(hasUpperHalves ? 7 : 3), at: 512)
    if !hasUpperHalves { for index in 576..<832 { bytes[index] = 0 } }
  }

  private mutating func put(_ value: some FixedWidthInteger & UnsignedInteger, at offset: Int) {
    for index in 0..<value.bitWidth / 8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
}
