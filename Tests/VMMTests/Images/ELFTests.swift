import TestImages
import Testing

@testable import VMM

@Suite struct ELFTests {
  private static let memory: UInt64 = 64 << 20

  /// What a machine with 64 MiB says about an image.
  private static func check(_ bytes: [UInt8]) throws(ImageError) -> LoadPlan {
    let plan = try GuestImage(name: "test", bytes: bytes).plan()
    try plan.validate(memory: memory)
    return plan
  }

  @Test func `an ELF64 file is entered in long mode, its segments at their physical addresses`() throws {
    var image = ELFImage(code: [0xf4], at: 0x20_0000)
    image.segments.append(ELFImage.Segment(at: 0x30_0000, [1, 2, 3], memorySize: 0x1000))
    let plan = try Self.check(image.bytes)
    #expect(plan.entry == .longMode(0x20_0000))
    #expect(
      plan.segments == [
        LoadPlan.Segment(address: 0x20_0000, size: 1, file: 176..<177),
        LoadPlan.Segment(address: 0x30_0000, size: 0x1000, file: 177..<180),
      ])
  }

  @Test func `an empty image and one of no known format are told apart`() {
    #expect(throws: ImageError.empty) { try Self.check([]) }
    #expect(throws: ImageError.unknownFormat) { try Self.check([0x7f, 0x45, 0x4c]) }
    #expect(throws: ImageError.unknownFormat) { try Self.check(Array("#!/bin/sh\n".utf8)) }
  }

  @Test(arguments: [
    (end: 5, what: "the ELF header's class"), (6, "the ELF header's byte order"), (18, "the ELF header's type"),
    (20, "the ELF header's machine"), (32, "the entry point"), (40, "the program header table's offset"),
    (56, "the program headers' size"), (58, "the number of program headers"), (64, "the program header table"),
    (68, "program header 0"), (80, "program header 0"), (104, "program header 0"), (112, "program header 0"),
    (121, "the end of segment 0"),
  ])
  func `a file that ends before the last byte of a field names the field`(end: Int, what: String) {
    let bytes = ELFImage(code: [0xf4]).bytes
    #expect(throws: ImageError.truncated(what: what)) { try Self.check(Array(bytes.prefix(end - 1))) }
  }

  @Test(arguments: [true, false])
  func `every proper beginning of a file is truncated`(is64Bit: Bool) throws {
    var image = ELFImage(code: [0xf4, 0xeb, 0xfd])
    image.is64Bit = is64Bit
    let bytes = image.bytes
    for count in 4..<bytes.count {
      let error = #expect(throws: ImageError.self) { try Self.check(Array(bytes.prefix(count))) }
      guard case .truncated = error else {
        Issue.record("\(count) bytes: \(String(describing: error))")
        continue
      }
    }
  }

  private static func image(_ change: (inout ELFImage) -> Void) -> [UInt8] {
    var image = ELFImage(code: [0xf4])
    change(&image)
    return image.bytes
  }

  @Test(arguments: [
    (image { $0.fileClass = 3 }, "its class is 3, neither 32 nor 64 bits"),
    (image { $0.byteOrder = 2 }, "it is big-endian"),
    (image { $0.type = 1 }, "its type is relocatable (ET_REL); only a static executable (ET_EXEC) can be booted"),
    (
      image { $0.type = 3 },
      "its type is shared or position-independent (ET_DYN); only a static executable (ET_EXEC) can be booted"
    ),
    (image { $0.type = 4 }, "its type is a core dump (ET_CORE); only a static executable (ET_EXEC) can be booted"),
    (image { $0.type = 0xff00 }, "its type is 65280; only a static executable (ET_EXEC) can be booted"),
    (image { $0.machine = 183 }, "it is for machine 183, not for x86-64 (62) or i386 (3) of its class"),
    (image { $0.machine = 3 }, "it is for machine 3, not for x86-64 (62) or i386 (3) of its class"),
    (image { $0.is64Bit = false }, "a 32-bit image needs a Multiboot header in its first 8192 bytes"),
    (image { $0.headerSize = 55 }, "its program headers have 55 bytes, too few for their class"),
    (image { $0.segments[0].memorySize = 0 }, "segment 0 is larger in the file than in memory"),
  ])
  func `what this machine does not run is refused with the reason`(bytes: [UInt8], reason: String) {
    #expect(throws: ImageError.unsupportedELF(reason: reason)) { try Self.check(bytes) }
  }

  @Test func `a file without a loadable segment has nothing to load`() {
    #expect(throws: ImageError.nothingToLoad) { try Self.check(Self.image { $0.segments = [] }) }
    #expect(throws: ImageError.nothingToLoad) { try Self.check(Self.image { $0.segments[0].type = 6 }) }
    #expect(throws: ImageError.nothingToLoad) { try Self.check(Self.image { $0.segments[0].contents = [] }) }
  }

  @Test func `numbers near the end of 64 bits do not wrap into the file`() {
    #expect(throws: ImageError.truncated(what: "the program header table")) {
      try Self.check(Self.image { $0.headerOffset = .max })
    }
    #expect(throws: ImageError.truncated(what: "the end of segment 0")) {
      try Self.check(Self.image { $0.segments[0].claimedFileSize = .max })
    }
  }

  @Test func `a segment has to lie in memory`() {
    #expect(throws: ImageError.outsideMemory(segment: 0, address: 64 << 20, size: 1, memory: 64 << 20)) {
      try Self.check(ELFImage(code: [0xf4], at: 64 << 20).bytes)
    }
    let larger = Self.image { $0.segments[0].memorySize = 1 << 40 }
    #expect(throws: ImageError.outsideMemory(segment: 0, address: 1 << 20, size: 1 << 40, memory: 64 << 20)) {
      try Self.check(larger)
    }
    #expect(throws: ImageError.wrapsAround(segment: 0, address: .max - 1, size: 4)) {
      try Self.check(ELFImage(code: [0xf4, 0xf4, 0xf4, 0xf4], at: .max - 1).bytes)
    }
  }

  private static let overlap = ImageError.overlapping(
    first: 0, 0x10_0000..<0x10_0001, second: 2, 0xf_ffff..<0x10_0001)

  @Test func `segments may touch and must not overlap`() throws {
    let touching = Self.image { $0.segments.append(ELFImage.Segment(at: 0x10_0001, [1])) }
    #expect(try Self.check(touching).segments.count == 2)
    let overlapping = Self.image {
      $0.segments.append(ELFImage.Segment(at: 0x30_0000, [1]))
      $0.segments.append(ELFImage.Segment(at: 0xf_ffff, [1, 2]))
    }
    #expect(throws: Self.overlap) { try Self.check(overlapping) }
  }

  @Test func `the entry point has to lie in a segment`() throws {
    #expect(throws: ImageError.entryOutside(0x10_0001)) { try Self.check(Self.image { $0.entry = 0x10_0001 }) }
    #expect(throws: ImageError.entryOutside(0xf_ffff)) { try Self.check(Self.image { $0.entry = 0xf_ffff }) }
    let zeroed = Self.image {
      $0.segments[0].memorySize = 2
      $0.entry = 0x10_0001
    }
    #expect(try Self.check(zeroed).entry == .longMode(0x10_0001))
  }

  @Test(arguments: [
    (ImageError.empty, "the image is empty"),
    (.truncated(what: "the entry point"), "the image is truncated: it ends before the entry point"),
    (.nothingToLoad, "the ELF file has no segment to load (PT_LOAD)"),
    (overlap, "segments 0 (0x100000 to 0x100000) and 2 (0xfffff to 0x100000) overlap in memory"),
    (.entryOutside(0x1000), "the entry point 0x1000 lies in no segment"),
    (
      .wrapsAround(segment: 1, address: .max, size: 2),
      "segment 1 (0x2 bytes at 0xffffffffffffffff) wraps around the end of the address space"
    ),
    (
      .outsideMemory(segment: 0, address: 1 << 30, size: 16, memory: 1 << 26),
      "segment 0 (16 bytes at 0x40000000) lies outside of guest memory, which ends at 0x4000000; "
        + "give the guest more with --memory, or link it lower"
    ),
  ])
  func `an error reads as a sentence`(error: ImageError, text: String) {
    #expect("\(error)" == text)
  }
}
