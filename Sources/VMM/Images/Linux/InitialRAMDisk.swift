import APIC

/// An initial RAM disk as Linux unpacks it: archives of cpio's "newc" format, one behind the other (kernel,
/// Documentation/driver-api/early-userspace/buffer-format.rst).
public enum InitialRAMDisk {
  private static let alignment = 4

  /// Puts an archive with one program behind what is there.
  ///
  /// - Parameters:
  ///   - program: the file of the program, linked statically, which becomes `/init`.
  ///   - archives: other archives, compressed or not, whose `/init` it replaces; empty for none.
  /// - Returns: all of it.
  public static func appending(initProgram program: [UInt8], to archives: [UInt8]) -> [UInt8] {
    padded(archives) + entry("init", mode: 0o100755, program) + entry("TRAILER!!!", mode: 0, [])
  }

  /// A header of 110 bytes in hexadecimal digits, the name, the contents.
  private static func entry(_ name: String, mode: UInt32, _ contents: [UInt8]) -> [UInt8] {
    let name = Array(name.utf8) + [0]
    // Inode, mode, user, group, links, time, size, device, device of a special file, length of the name, checksum.
    let fields = [1, mode, 0, 0, 1, 0, UInt32(clamping: contents.count), 0, 0, 0, 0, UInt32(name.count), 0]
    let header = Array("070701".utf8) + fields.flatMap { hex($0, digits: 8).utf8.dropFirst(2) }
    return padded(padded(header + name) + contents)
  }

  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
  }
}
