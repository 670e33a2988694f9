import Testing

@testable import VMM

/// Files that people try to boot and that are something else.
@Suite struct ForeignFormatTests {
  private static func bytes(_ parts: [(offset: Int, bytes: [UInt8])], size: Int = 40960) -> [UInt8] {
    var image = [UInt8](repeating: 0, count: size)
    for part in parts { image.replaceSubrange(part.offset..<part.offset + part.bytes.count, with: part.bytes) }
    return image
  }

  @Test(arguments: [
    (bytes([(0, [0x1f, 0x8b, 8])]), ForeignFormat.gzip, "gunzip"),
    (bytes([(0, [0xfd] + Array("7zXZ".utf8) + [0])]), .xz, "unxz"),
    (bytes([(0, [0x28, 0xb5, 0x2f, 0xfd])]), .zstd, "unzstd"),
    (bytes([(0, Array("MZ".utf8)), (0x38, Array("ARM".utf8) + [0x64])]), .arm64, "ARM64"),
    (bytes([(0x38, Array("RSC".utf8) + [5])]), .riscv, "RISC-V"),
    (bytes([(0, Array("MZ".utf8)), (0x3c, [0x80]), (0x80, Array("PE".utf8))]), .efi, "EFI"),
    (bytes([(0, Array("QFI".utf8) + [0xfb])]), .qcow2, "qcow2"),
    (bytes([(0x8001, Array("CD001".utf8))]), .iso, "CD-ROM"),
    (bytes([(510, [0x55, 0xaa])], size: 512), .disk, "--load-address 0x7c00"),
  ]) func `it is called by its name, with what to do`(bytes: [UInt8], format: ForeignFormat, word: String) {
    let image = GuestImage(name: "test", bytes: bytes)
    #expect(throws: ImageError.foreign(format)) { try image.plan() }
    #expect(ImageError.foreign(format).description.contains(word))
  }

  @Test func `a boot sector with a load address is flat code`() throws {
    let image = GuestImage(name: "test", bytes: Self.bytes([(510, [0x55, 0xaa])], size: 512))
    #expect(try image.plan(loadAddress: 0x7c00).entry == .realMode(0x7c00))
  }

  @Test func `an image that ends early is of no format that it does not show`() {
    for size in 1..<64 {
      #expect(throws: ImageError.unknownFormat) {
        try GuestImage(name: "test", bytes: [UInt8](repeating: 0x4d, count: size)).plan()
      }
    }
  }
}
