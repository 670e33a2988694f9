import TestImages
import Testing

/// Files that are no guests: exit status 65, one line on standard error that says why, nothing on standard output.
@Suite(.needsKVM) struct BadImageTests {
  private func refuse(_ arguments: [String], _ message: String) throws {
    let result = try Program.run(["run"] + arguments)
    #expect(result.status == 65)
    #expect(!result.wasKilled)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("lapwing: "))
    #expect(result.errors.contains(message))
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  private static let halt = Code(.long).halt().bytes

  private static func changed(_ change: (inout ELFImage) -> Void) -> [UInt8] {
    var image = ELFImage(code: halt)
    change(&image)
    return image.bytes
  }

  @Test func `a guest that is neither built in nor a file`() throws {
    try refuse(["no-such-guest"], "there is no guest 'no-such-guest': neither built in (see 'lapwing list') nor a file")
    try refuse(["/no/such/file"], "there is no guest '/no/such/file'")
    try refuse(["/etc/passwd/x"], "cannot read the guest '/etc/passwd/x': Not a directory")
  }

  @Test func `a directory, and a file without end`() throws {
    try refuse(["/tmp"], "cannot read the guest '/tmp': Is a directory")
    try refuse(["/dev/zero"], "cannot read the guest '/dev/zero': it is larger than 256 MiB")
  }

  @Test(
    arguments: [
      ([], "the image is empty"),
      (Array("#!/bin/sh\necho hello\n".utf8), "the image is neither an ELF file nor a Multiboot image"),
      (Array(ELFImage(code: halt).bytes.prefix(60)), "the image is truncated: it ends before the program header table"),
      (Array(ELFImage(code: halt).bytes.dropLast()), "the image is truncated: it ends before the end of segment 0"),
      (changed { $0.machine = 183 }, "the ELF file cannot run here: it is for machine 183"),
      (changed { $0.type = 3 }, "its type is shared or position-independent (ET_DYN)"),
      (changed { $0.is64Bit = false }, "a 32-bit image needs a Multiboot header"),
      (changed { $0.segments = [] }, "the ELF file has no segment to load (PT_LOAD)"),
      (ELFImage(code: halt, at: 1 << 32).bytes, "segment 0 (4 bytes at 0x100000000) lies outside of guest memory"),
      (ELFImage(code: halt, at: .max - 1).bytes, "wraps around the end of the address space"),
      (changed { $0.segments[0].memorySize = 1 << 30 }, "give the guest more with --memory"),
      (
        changed { $0.segments.append(ELFImage.Segment(at: 0x10_0000, [1])) },
        "segments 0 (0x100000 to 0x100003) and 1 (0x100000 to 0x100000) overlap"
      ),
      (changed { $0.entry = 0 }, "the entry point 0x0 lies in no segment"),
    ] as [([UInt8], String)])
  func `an image that cannot be booted`(bytes: [UInt8], message: String) throws {
    let file = try GuestFile(bytes)
    try refuse([file.path], message)
  }

  @Test func `flat code that reaches beyond 1 MiB`() throws {
    let file = try GuestFile([UInt8](repeating: 0x90, count: 32))
    try refuse([file.path, "--load-address", "0xffff0"], "32 bytes at 0xffff0 reach beyond 1 MiB")
    try refuse([file.path, "--load-address", "0x100000"], "reach beyond 1 MiB")
  }

  @Test func `an image that is larger than the memory it is given`() throws {
    let file = try GuestFile(ELFImage(code: [UInt8](repeating: 0x90, count: 2 << 20)).bytes)
    try refuse([file.path, "--memory", "2M"], "segment 0 (2097152 bytes at 0x100000) lies outside of guest memory")
  }
}
