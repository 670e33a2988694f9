import Support

/// A structure of KVM's as the bytes that another program kept of it, least significant byte first.
///
/// What such a program keeps is the structure itself (crate `kvm-bindings`, feature `serde`), of whatever kernel's headers: a
/// later one may be longer, its beginning stays.
struct StructureBytes {
  private let bytes: [UInt8]

  /// A structure.
  ///
  /// - Parameters:
  ///   - bytes: what was kept of it.
  ///   - size: how long it is at least; nil is returned where the bytes are fewer.
  init?(_ bytes: [UInt8], atLeast size: Int) {
    guard bytes.count >= size else { return nil }
    self.bytes = bytes
  }

  /// The integer at an offset, which lies within the size that was asked for.
  subscript<Value: FixedWidthInteger>(offset: Int) -> Value {
    bytes.littleEndian(Value.self, at: offset) ?? 0
  }

  /// Whether a byte is not 0.
  func flag(_ offset: Int) -> Bool { self[offset] as UInt8 != 0 }
}

/// The sizes of the structures in bytes (linux, arch/x86/include/uapi/asm/kvm.h, include/uapi/linux/kvm.h).
enum StructureSize {
  static let registers = 144, specialRegisters = 312, debugRegisters = 128, events = 64, mpState = 4
  static let cpuidEntry = 40, msrEntry = 16, irqChip = 520, pit = 112, clock = 48, localAPIC = 1024
}
