/// The extended state in the XSAVE format without compaction (SDM volume 1, sections 13.4 and 13.6).
enum XSAVEArea {
  /// `struct kvm_xsave`, which every host has room for.
  static let leastSize = 4096
  /// Above any processor's: AMX makes it 11 KiB (SDM volume 1, section 13.5). A document says it in a few bytes, and room
  /// is made for all of it.
  static let mostSize = 1 << 14

  private static let header = 512
  private static let legacyState: UInt8 = 1 << 0
  private static let sseState: UInt8 = 1 << 1
  private static let initialControlWord: [UInt8] = [0x7f, 0x03]
  private static let initialMXCSR: [UInt8] = [0x80, 0x1f, 0, 0]

  /// Clears the bits of XSTATE_BV of the x87 and SSE states where these hold their initial values.
  ///
  /// The processor may say of such a state that it is in use or that it is not, and does say either, depending on whether
  /// it was loaded since. To restore it makes no difference.
  static func normalize(_ area: inout [UInt8]) {
    guard area.count > header else { return }
    // Control word, status, tags, opcode and the two pointers; then the eight registers, after MXCSR and its mask.
    let isLegacyInitial =
      area[..<2].elementsEqual(initialControlWord) && area[2..<24].allSatisfy { $0 == 0 }
      && area[32..<160].allSatisfy { $0 == 0 }
    if isLegacyInitial { area[header] &= ~legacyState }
    let isSSEInitial = area[24..<28].elementsEqual(initialMXCSR) && area[160..<416].allSatisfy { $0 == 0 }
    if isSSEInitial { area[header] &= ~sseState }
  }
}
