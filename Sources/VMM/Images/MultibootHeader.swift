import APIC

/// The Multiboot 1 header: 12 bytes or more, aligned to 4, in the first 8192 of an image (Multiboot specification 0.6.96,
/// section 3.1).
struct MultibootHeader {
  static let magic: UInt32 = 0x1bad_b002
  /// What EAX holds when the image is entered (section 3.2).
  static let bootMagic: UInt32 = 0x2bad_b002

  private static let searched: UInt64 = 8192
  /// Header flags: modules aligned, memory information wanted, video mode wanted, load addresses in the header.
  private static let wantsVideo: UInt32 = 1 << 2
  private static let hasAddresses: UInt32 = 1 << 16

  let flags: UInt32
  private let offset: UInt64

  /// The header of `image`, or nil where there is none with a right checksum.
  init?(_ image: ImageBytes) {
    for offset in stride(from: UInt64(0), to: Self.searched - 8, by: 4) {
      guard let magic = image.load(UInt32.self, at: offset) else { return nil }
      guard magic == Self.magic, let flags = image.load(UInt32.self, at: offset + 4),
        let checksum = image.load(UInt32.self, at: offset + 8), magic &+ flags &+ checksum == 0
      else { continue }
      self.flags = flags
      self.offset = offset
      return
    }
    return nil
  }

  /// Where the image goes: by the header's own addresses where it has them, else as its ELF program headers say.
  func plan(_ image: ImageBytes) throws(ImageError) -> LoadPlan {
    // Flags 0 to 15 must be understood or the image refused; 0 (alignment) and 1 (memory information) are always met.
    if flags & 0xfffc & ~Self.wantsVideo != 0 {
      throw .unsupportedMultiboot(reason: "its required flags are \(hex(flags & 0xffff))")
    }
    if flags & Self.wantsVideo != 0 { throw .unsupportedMultiboot(reason: "it asks for a video mode") }
    if flags & Self.hasAddresses != 0 { return try addressPlan(image) }
    guard ELFFile.matches(image) else {
      throw .unsupportedMultiboot(reason: "it has no load addresses and is no ELF file")
    }
    let file = try ELFFile(image)
    guard file.fileClass == .bits32 else {
      throw .unsupportedMultiboot(reason: "it is a 64-bit ELF file without load addresses in the header")
    }
    return file.plan(entry: .multiboot(UInt32(truncatingIfNeeded: file.entry)))
  }

  /// The "a.out kludge": header, load, load end, BSS end and entry addresses follow the checksum (section 3.1.3).
  private func addressPlan(_ image: ImageBytes) throws(ImageError) -> LoadPlan {
    let name = "the Multiboot header's addresses"
    let header = UInt64(try image.load(UInt32.self, at: offset + 12, name))
    let load = UInt64(try image.load(UInt32.self, at: offset + 16, name))
    let loadEnd = UInt64(try image.load(UInt32.self, at: offset + 20, name))
    let bssEnd = UInt64(try image.load(UInt32.self, at: offset + 24, name))
    let entry = try image.load(UInt32.self, at: offset + 28, name)
    guard header >= load, header - load <= offset, loadEnd == 0 || loadEnd >= load,
      bssEnd == 0 || bssEnd >= max(load, loadEnd)
    else {
      throw .unsupportedMultiboot(reason: "its load addresses contradict each other")
    }
    let start = offset - (header - load)
    let fileSize = loadEnd == 0 ? UInt64(image.count) - start : loadEnd - load
    guard start + fileSize <= UInt64(image.count) else { throw .truncated(what: "the end that its header promises") }
    let size = max(fileSize, bssEnd == 0 ? 0 : bssEnd - load)
    let segment = LoadPlan.Segment(address: load, size: size, file: Int(start)..<Int(start + fileSize))
    return LoadPlan(segments: [segment], entry: .multiboot(entry))
  }
}
