import TestImages
import Testing

@testable import VMM

/// bzImages, sound and damaged.
@Suite struct SetupHeaderTests {
  private static let sound = ReportingKernel.bzImage

  private static func plan(_ change: (inout KernelImage) -> Void = { _ in }) throws(ImageError) -> LoadPlan {
    var image = sound
    change(&image)
    return try GuestImage(name: "test", bytes: image.bytes).plan()
  }

  @Test func `the code goes where the kernel prefers it, with the room that it needs, and is entered 0x200 behind`()
    throws
  {
    let plan = try Self.plan()
    let start = 1024
    #expect(plan.entry == .linux(0x20_0200))
    #expect(plan.segments.map(\.address) == [0x20_0000] && plan.segments.map(\.size) == [0x1_0000])
    #expect(plan.segments[0].file.lowerBound == start)
    #expect(plan.segments[0].file.upperBound == Self.sound.bytes.count)
    #expect(plan.setupHeader?.commandLineLimit == 255)
    #expect(GuestImage(name: "test", bytes: Self.sound.bytes).isLinuxKernel)
  }

  @Test func `no sectors mean four, and what lies behind the code stays out`() throws {
    let plan = try Self.plan {
      $0.setupSectors = 0
      $0.code += [UInt8](repeating: 0x90, count: 64)
      $0.paragraphs = 0x22
    }
    #expect(plan.segments[0].file == 2560..<2560 + 0x220)
  }

  private static func changed(_ change: (inout KernelImage) -> Void) -> [UInt8] {
    var image = sound
    change(&image)
    return image.bytes
  }

  @Test(
    arguments: [
      (changed { $0.bootFlag = 0 }, "damaged: the boot flag"),
      (changed { $0.jump = [0xe9, 0x6a] }, "damaged: it ends at"),
      (changed { $0.jump = [0xeb, 0x40] }, "damaged: it ends at 0x242"),
      (changed { $0.jump = [0xeb, 0xff] }, "damaged: it ends at 0x301"),
      (changed { $0.version = 0x020b }, "version 2.11 of the boot protocol, and 2.12"),
      (changed { $0.version = 0 }, "version 0.0 of the boot protocol"),
      (changed { $0.loadFlags = 0 }, "zImage"),
      (changed { $0.extendedLoadFlags = 0x7e }, "no 64-bit entry (XLF_KERNEL_64)"),
      (changed { $0.preferredAddress = 0x1000 }, "damaged: it wants to be loaded at 0x1000"),
      (changed { $0.paragraphs = 0x20 }, "damaged: it has 512 bytes of code"),
    ] as [([UInt8], String)])
  func `a kernel that cannot be booted is refused with the reason`(bytes: [UInt8], reason: String) {
    let error = #expect(throws: ImageError.self) { try GuestImage(name: "test", bytes: bytes).plan() }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `a kernel that ends before its code does is truncated`() {
    for change in [{ $0.paragraphs = 0x1000 }, { $0.setupSectors = 200 }] as [@Sendable (inout KernelImage) -> Void] {
      var image = Self.sound
      change(&image)
      let bytes = Array(image.bytes.prefix(Self.sound.bytes.count))
      #expect(throws: ImageError.truncated(what: "the end of the kernel's code")) {
        try GuestImage(name: "test", bytes: bytes).plan()
      }
    }
    for count in 0x206..<0x26c {
      let bytes = Array(Self.sound.bytes.prefix(count))
      #expect(throws: ImageError.self) { try GuestImage(name: "test", bytes: bytes).plan() }
    }
  }

  @Test func `where the kernel does not fit, its segment lies outside of memory or wraps around`() throws {
    #expect(throws: ImageError.outsideMemory(segment: 0, address: 0x20_0000, size: 0x1_0000, memory: 1 << 20)) {
      try Self.plan().validate(memory: 1 << 20)
    }
    #expect(throws: ImageError.wrapsAround(segment: 0, address: .max - 1, size: 0x1_0000)) {
      try Self.plan { $0.preferredAddress = .max - 1 }.validate(memory: 1 << 30)
    }
  }

  /// Nothing of a file may trap the process or have it take memory without bound, whatever comes of it.
  @Test(arguments: 0..<8 as Range<UInt64>) func `random damage of a header, or of a note, is answered`(seed: UInt64)
    throws
  {
    var random = SeededGenerator(seed: seed)
    for sound in [Self.sound.bytes, ReportingKernel.pvh.bytes] {
      var answers = 0
      for _ in 0..<2000 {
        var bytes = sound
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          // Headers and notes mostly.
          let place = Int.random(in: 0..<min(bytes.count, 0x280), using: &random)
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
        }
        var image = GuestImage(name: "test", bytes: bytes)
        image.initrd = ImageBytes([1, 2, 3])
        answers += try Self.answer(image)
      }
      #expect(answers == 2000)
    }
  }

  private static let memory = Result { try GuestMemory(size: 4 << 20) }

  private static func answer(_ image: GuestImage) throws -> Int {
    let memory = try memory.get()
    do throws(ImageError) {
      let plan = try image.plan()
      try plan.validate(memory: memory.lowSize)
      guard plan.entry.isKernel else { return 1 }
      _ = try LinuxBoot(plan, image, MachineConfiguration(), memory: memory)
      return 1
    } catch {
      return error.description.isEmpty ? 0 : 1
    }
  }
}
