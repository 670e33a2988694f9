import Support

/// What libvirt writes before a stream of QEMU's (`virsh save`; libvirt, src/qemu/qemu_saveimage.h).
struct LibvirtHeader {
  /// Whether a file begins with one, whole or unfinished.
  static func matches(_ beginning: ArraySlice<UInt8>) -> Bool {
    beginning.starts(with: "LibvirtQemud".utf8)
  }

  private static let size = 92

  /// Takes the header with the domain's XML, so that the stream comes next.
  static func skip(_ reader: inout QEMUReader) throws(ForeignStateError) {
    let header = try reader.bytes(size, "libvirt's header")
    guard header.starts(with: "LibvirtQemudSave".utf8) else {
      throw reader.failure("the mark LibvirtQemudSave expected: this file was not finished", back: UInt64(size))
    }
    func word(_ index: Int) -> UInt32 { header.littleEndian(UInt32.self, at: 16 + 4 * index) ?? 0 }
    guard (1...2).contains(word(0)) else {
      throw reader.failure("version 1 or 2 of libvirt's header expected, not \(word(0))", back: UInt64(size - 16))
    }
    let programs = ["", "gzip", "bzip2", "xz", "lzop", "zstd"]
    guard word(3) == 0 else {
      guard word(3) < programs.count else {
        throw reader.failure("a stream that is not packed expected, not format \(word(3)) of libvirt's", back: 64)
      }
      let program = programs[Int(word(3))]
      throw reader.failure(
        "a stream that is not compressed expected; libvirt has compressed this one (\(program)): its header and XML are "
          + "\(UInt64(size) + UInt64(word(1))) bytes, and 'tail -c +\(UInt64(size) + UInt64(word(1)) + 1) FILE | "
          + "\(program) -d | lapwing inspect -' reads what follows")
    }
    try reader.skip(UInt64(word(1)), "the domain's XML")
  }
}
