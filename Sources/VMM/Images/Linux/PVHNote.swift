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
