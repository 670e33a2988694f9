import TestImages
import Testing

@testable import VMM

@Suite struct MultibootTests {
  private static func plan(_ change: (inout MultibootImage) -> Void = { _ in }) throws(ImageError) -> LoadPlan {
    var image = MultibootImage(code: [0xf4, 0xf4])
    change(&image)
    return try plan(image.bytes)
  }

  private static func plan(_ bytes: [UInt8]) throws(ImageError) -> LoadPlan {
    try GuestImage(name: "test", bytes: bytes).plan()
  }

  @Test func `the addresses in the header say where the file goes`() throws {
    let plan = try Self.plan()
    #expect(plan.entry == .multiboot(0x10_0020))
    #expect(plan.segments == [LoadPlan.Segment(address: 0x10_0000, size: 34, file: 0..<34)])
  }

  @Test func `load end and BSS end cut the file and add zeroes`() throws {
    let plan = try Self.plan {
      $0.padding = 16
      $0.loadEnd = $0.load + 33
      $0.bssEnd = $0.load + 0x1000
    }
    #expect(plan.segments == [LoadPlan.Segment(address: 0x10_0000, size: 0x1000, file: 16..<49)])
  }

  @Test func `what lies before the header may be loaded too`() throws {
    let plan = try Self.plan {
      $0.padding = 64
      $0.header = $0.load + 48
    }
    #expect(plan.segments == [LoadPlan.Segment(address: 0x10_0000, size: 82, file: 16..<98)])
  }

  @Test(
    arguments: [
      { $0.load = $0.header + 4 },
      { $0.header = $0.load + 4 },
      { $0.loadEnd = $0.load - 1 },
      { image in
        image.loadEnd = image.load + 34
        image.bssEnd = image.load + 33
      },
      { $0.bssEnd = 1 },
    ] as [@Sendable (inout MultibootImage) -> Void])
  func `addresses that contradict each other are refused`(change: @Sendable (inout MultibootImage) -> Void) {
    let error = ImageError.unsupportedMultiboot(reason: "its load addresses contradict each other")
    #expect(throws: error) { try Self.plan(change) }
  }

  @Test func `a load end beyond the file is a truncated image`() {
    #expect(throws: ImageError.truncated(what: "the end that its header promises")) {
      try Self.plan { $0.loadEnd = $0.load + 35 }
    }
    #expect(throws: ImageError.truncated(what: "the end that its header promises")) {
      try Self.plan { $0.loadEnd = .max }
    }
  }

  @Test func `a header that ends before its addresses is a truncated image`() {
    let bytes = MultibootImage(code: []).bytes
    for count in 12..<MultibootImage.headerSize {
      #expect(throws: ImageError.truncated(what: "the Multiboot header's addresses")) {
        try Self.plan(Array(bytes.prefix(count)))
      }
    }
  }

  @Test func `flags that the loader must understand and does not are refused`() throws {
    #expect(try Self.plan { $0.flags |= 3 }.entry == .multiboot(0x10_0020))
    #expect(throws: ImageError.unsupportedMultiboot(reason: "it asks for a video mode")) {
      try Self.plan { $0.flags |= 4 }
    }
    #expect(throws: ImageError.unsupportedMultiboot(reason: "its required flags are 0x8000")) {
      try Self.plan { $0.flags |= 0x8000 }
    }
  }

  @Test func `a header with a wrong checksum, beyond 8 KiB or misaligned is none`() throws {
    #expect(throws: ImageError.unknownFormat) { try Self.plan { $0.checksum = 1 } }
    #expect(throws: ImageError.unknownFormat) { try Self.plan { $0.padding = 8192 } }
    #expect(throws: ImageError.unknownFormat) { try Self.plan { $0.padding = 2 } }
    #expect(try Self.plan { $0.padding = 8192 - 12 }.segments[0].file.lowerBound == 8192 - 12)
  }

  @Test func `without addresses it has to be an ELF file of 32 bits`() throws {
    let header = MultibootImage(code: []).bytes.prefix(0)
    var plain = MultibootImage(code: [0xf4])
    plain.flags = 0
    #expect(throws: ImageError.unsupportedMultiboot(reason: "it has no load addresses and is no ELF file")) {
      try Self.plan(Array(header) + plain.bytes)
    }
    var file = ELFImage(code: plain.bytes)
    #expect(
      throws: ImageError.unsupportedMultiboot(
        reason: "it is a 64-bit ELF file without load addresses in the header")
    ) { try Self.plan(file.bytes) }
    file.is64Bit = false
    file.entry += 32
    let plan = try Self.plan(file.bytes)
    #expect(plan.entry == .multiboot(0x10_0020))
    #expect(plan.segments == [LoadPlan.Segment(address: 0x10_0000, size: 33, file: 84..<117)])
  }

  @Test func `an error reads as a sentence`() {
    #expect(
      "\(ImageError.unsupportedMultiboot(reason: "it asks for a video mode"))"
        == "the Multiboot header cannot be honoured: it asks for a video mode")
  }
}
