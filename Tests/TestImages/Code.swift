/// Machine code for a test's guest, put together from the few instructions that tests need.
public struct Code: Sendable {
  /// What the processor takes the bytes for, which decides on operand-size prefixes.
  public enum Mode: Sendable {
    /// 16-bit code.
    case real
    /// 32-bit code.
    case protected
    /// 64-bit code.
    case long
  }

  /// The mode that it is written for.
  public let mode: Mode
  /// What there is so far.
  public private(set) var bytes: [UInt8] = []

  /// No code yet.
  public init(_ mode: Mode) { self.mode = mode }

  /// The code with these bytes behind it.
  public func then(_ bytes: [UInt8]) -> Code {
    var code = self
    code.bytes += bytes
    return code
  }

  /// `mov eax, value`.
  public func loadEAX(_ value: UInt32) -> Code { then(prefix32 + [0xb8] + littleEndian(value)) }

  /// `mov dx, port; mov al, value; out dx, al`.
  public func out(_ value: UInt8, to port: UInt16) -> Code { loadDX(port).then([0xb0, value, 0xee]) }

  /// `mov dx, port; mov eax, value; out dx, eax`.
  public func out(word value: UInt32, to port: UInt16) -> Code {
    loadDX(port).loadEAX(value).then(prefix32 + [0xef])
  }

  /// `mov dx, port; in al, dx`.
  public func input(from port: UInt16) -> Code { loadDX(port).then([0xec]) }

  /// Prints a text on COM1, a byte at a time.
  public func print(_ text: String) -> Code {
    text.utf8.reduce(loadDX(0x3f8)) { $0.then([0xb0, $1, 0xee]) }
  }

  /// `rep outsb` of `count` bytes at an address below 64 KiB.
  public func outs(_ count: UInt16, at address: UInt16, to port: UInt16) -> Code {
    loadDX(port).loadIndex(0xbe, address).loadIndex(0xb9, count).then([0xfc, 0xf3, 0x6e])
  }

  /// `rep insb` of `count` bytes to an address below 64 KiB.
  public func ins(_ count: UInt16, to address: UInt16, from port: UInt16) -> Code {
    loadDX(port).loadIndex(0xbf, address).loadIndex(0xb9, count).then([0xfc, 0xf3, 0x6c])
  }

  /// Ends the machine through QEMU's debug exit.
  public func debugExit(_ value: UInt8) -> Code { then([0xb0, value, 0xe6, 0xf4]).halt() }

  /// `cli; hlt`, for ever.
  public func halt() -> Code { then([0xfa, 0xf4, 0xeb, 0xfd]) }

  /// `jmp .`
  public func spin() -> Code { then([0xeb, 0xfe]) }

  /// Does what is there so far again and again.
  public func forever() -> Code {
    let offset = -Int32(bytes.count) - (mode == .real ? 3 : 5)
    let word = littleEndian(UInt32(bitPattern: offset))
    return then([0xe9] + (mode == .real ? Array(word.prefix(2)) : word))
  }

  private func loadDX(_ port: UInt16) -> Code {
    then((mode == .real ? [] : [0x66]) + [0xba, UInt8(truncatingIfNeeded: port), UInt8(port >> 8)])
  }

  /// `mov si/di/cx, value` with the register of the mode's own width; the upper half of a 64-bit one becomes zero.
  private func loadIndex(_ opcode: UInt8, _ value: UInt16) -> Code {
    let word = littleEndian(UInt32(value))
    return then([opcode] + (mode == .real ? Array(word.prefix(2)) : word))
  }

  private var prefix32: [UInt8] { mode == .real ? [0x66] : [] }
}

/// The bytes of a number, least significant first.
public func littleEndian<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) -> [UInt8] {
  (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
}
