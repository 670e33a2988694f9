import APIC

/// The setup header of a Linux bzImage, and where its 64-bit code goes (kernel, Documentation/arch/x86/boot.rst, "The
/// Real-Mode Kernel Header" and "64-bit Boot Protocol").
struct SetupHeader: Hashable, Sendable {
  /// Where the header lies, in the file as in the boot parameters.
  static let start: UInt64 = 0x1f1
  /// The oldest protocol that says whether there is a 64-bit entry (xloadflags): Linux 3.8.
  static let oldestVersion: UInt16 = 0x020c
  /// Where the 64-bit entry lies in the code.
  static let entryOffset: UInt64 = 0x200

  private enum Offset {
    static let setupSectors: UInt64 = 0x1f1
    static let paragraphs: UInt64 = 0x1f4
    static let bootFlag: UInt64 = 0x1fe
    static let jump: UInt64 = 0x200
    static let magic: UInt64 = 0x202
    static let version: UInt64 = 0x206
    static let loadFlags: UInt64 = 0x211
    static let initrdLimit: UInt64 = 0x22c
    static let extendedLoadFlags: UInt64 = 0x236
    static let commandLineSize: UInt64 = 0x238
    static let preferredAddress: UInt64 = 0x258
    static let initialSize: UInt64 = 0x260
  }
  private static let loadedHigh: UInt8 = 1
  /// XLF_KERNEL_64.
  private static let has64BitEntry: UInt16 = 1
  /// Up to here a header of this protocol has its fields; beyond the other no short jump reaches, nor do the boot parameters have
  /// room for a header.
  private static let shortestEnd: UInt64 = 0x264
  private static let longestEnd: UInt64 = 0x281

  /// The header itself.
  let bytes: [UInt8]
  /// Where the code lies in the file.
  let code: Range<Int>
  /// Where it goes: where the kernel needs not move itself.
  let address: UInt64
  /// How much memory it needs from there on before it can look at the memory map, in bytes.
  let size: UInt64
  /// How many bytes a command line may have, without the NUL.
  let commandLineLimit: Int
  /// The last address that the initial RAM disk may occupy.
  let lastInitrdAddress: UInt64

  /// Whether a file has such a header, be it damaged.
  static func matches(_ image: ImageBytes) -> Bool { image.load(UInt32.self, at: Offset.magic) == 0x5372_6448 }

  init(_ image: ImageBytes) throws(ImageError) {
    let what = "the end of the setup header"
    guard try image.load(UInt16.self, at: Offset.bootFlag, what) == 0xaa55 else {
      throw .unsupportedKernel(reason: "its setup header is damaged: the boot flag is not 0xaa55")
    }
    let version = try image.load(UInt16.self, at: Offset.version, what)
    guard version >= Self.oldestVersion else {
      throw .unsupportedKernel(
        reason: """
          it speaks version \(version >> 8).\(version & 0xff) of the boot protocol, and 2.12, of Linux 3.8, is the oldest \
          with a 64-bit entry
          """)
    }
    // EB and a displacement: the jump over the header ends it.
    let jump = try image.load(UInt16.self, at: Offset.jump, what)
    let end = Offset.magic + UInt64(jump >> 8)
    guard jump & 0xff == 0xeb, (Self.shortestEnd...Self.longestEnd).contains(end) else {
      throw .unsupportedKernel(
        reason: "its setup header is damaged: it ends at \(hex(end)), which none of its version does")
    }
    guard end <= UInt64(image.count) else { throw .truncated(what: what) }
    bytes = Array(image.bytes[Int(Self.start)..<Int(end)])
    guard try image.load(UInt8.self, at: Offset.loadFlags, what) & Self.loadedHigh != 0 else {
      throw .unsupportedKernel(reason: "it is a zImage, which is loaded below 1 MiB: build a bzImage")
    }
    guard try image.load(UInt16.self, at: Offset.extendedLoadFlags, what) & Self.has64BitEntry != 0 else {
      throw .unsupportedKernel(reason: "it has no 64-bit entry (XLF_KERNEL_64): it is a 32-bit kernel")
    }
    code = try Self.code(of: image)
    address = try image.load(UInt64.self, at: Offset.preferredAddress, what)
    guard address >= LinuxLayout.kernelStart else {
      throw .unsupportedKernel(reason: "its setup header is damaged: it wants to be loaded at \(hex(address))")
    }
    size = max(UInt64(try image.load(UInt32.self, at: Offset.initialSize, what)), UInt64(code.count))
    commandLineLimit = Int(try image.load(UInt32.self, at: Offset.commandLineSize, what))
    lastInitrdAddress = UInt64(try image.load(UInt32.self, at: Offset.initrdLimit, what))
  }

  /// What follows the sectors of the real-mode code: as many paragraphs as the header says. Its last may be cut short, and a
  /// signature may lie behind it.
  private static func code(of image: ImageBytes) throws(ImageError) -> Range<Int> {
    let what = "the end of the kernel's code"
    let sectors = Int(try image.load(UInt8.self, at: Offset.setupSectors, what))
    let size = 16 * Int(try image.load(UInt32.self, at: Offset.paragraphs, what))
    let start = ((sectors == 0 ? 4 : sectors) + 1) * 512
    guard start + size < image.count + 16 else { throw .truncated(what: what) }
    let range = min(start, image.count)..<min(start + size, image.count)
    guard range.count > entryOffset else {
      throw .unsupportedKernel(reason: "its setup header is damaged: it has \(size) bytes of code")
    }
    return range
  }

  /// Where the code goes, and how it is entered.
  var plan: LoadPlan {
    let segment = LoadPlan.Segment(address: address, size: size, file: code)
    var plan = LoadPlan(segments: [segment], entry: .linux(address &+ Self.entryOffset))
    plan.setupHeader = self
    return plan
  }
}

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

/// The note by which an ELF kernel says that it can be entered directly in protected mode (Xen's x86/PVH direct boot ABI;
/// kernel, arch/x86/platform/pvh/head.S).
enum PVHNote {
  /// XEN_ELFNOTE_PHYS32_ENTRY, of the owner "Xen".
  private static let type: UInt32 = 18
  private static let owner: [UInt8] = Array("Xen".utf8) + [0]
  /// A header of three words.
  private static let headerSize: UInt64 = 12
  /// How many notes are looked at: ten times as many as a kernel has, and few of a file that is made to have millions.
  private static let limit = 256

  /// The entry's physical address.
  ///
  /// - Parameters:
  ///   - image: the file.
  ///   - ranges: where its notes lie; each within the file.
  /// - Returns: nil where there is no such note.
  static func entry(_ image: ImageBytes, in ranges: [Range<UInt64>]) -> UInt32? {
    var left = limit
    for range in ranges {
      var place = range.lowerBound
      while left > 0, place + headerSize <= range.upperBound, let nameSize = image.load(UInt32.self, at: place),
        let size = image.load(UInt32.self, at: place + 4), let type = image.load(UInt32.self, at: place + 8)
      {
        let name = place + headerSize
        let value = name + padded(nameSize)
        let next = value + padded(size)
        guard next <= range.upperBound else { break }
        if type == Self.type, Int(nameSize) == owner.count, size >= 4,
          image.bytes[Int(name)..<Int(name) + owner.count].elementsEqual(owner)
        {
          return image.load(UInt32.self, at: value)
        }
        place = next
        left -= 1
      }
    }
    return nil
  }

  /// Names and values are filled up to a multiple of 4 bytes.
  private static func padded(_ size: UInt32) -> UInt64 { (UInt64(size) + 3) & ~3 }
}
