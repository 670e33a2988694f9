/// A Multiboot 1 image with the addresses in its header, the "a.out kludge"; every field can be written wrong.
public struct MultibootImage: Sendable {
  /// The header's flags; bit 16 says that the addresses count.
  public var flags: UInt32 = 1 << 16
  /// The checksum; nil for the right one.
  public var checksum: UInt32?
  /// Bytes before the header.
  public var padding = 0
  /// The address of the header's first byte.
  public var header: UInt32
  /// The address of the first byte of the file that is loaded.
  public var load: UInt32
  /// The end of what is loaded; 0 for the whole file.
  public var loadEnd: UInt32 = 0
  /// The end of zeroed memory behind it; 0 for none.
  public var bssEnd: UInt32 = 0
  /// Where it is entered; nil for the code's first byte.
  public var entry: UInt32?
  /// 32-bit code, directly behind the header.
  public var code: [UInt8]

  /// The bytes of a header with addresses.
  public static let headerSize = 32

  /// An image whose first byte is loaded at `address`.
  public init(code: [UInt8], at address: UInt32 = 0x10_0000) {
    self.code = code
    header = address
    load = address
  }

  /// The file.
  public var bytes: [UInt8] {
    let magic: UInt32 = 0x1bad_b002
    let start = entry ?? header &+ UInt32(Self.headerSize)
    let words = [magic, flags, checksum ?? 0 &- magic &- flags, header, load, loadEnd, bssEnd, start]
    return [UInt8](repeating: 0x90, count: padding) + words.flatMap(littleEndian) + code
  }
}
