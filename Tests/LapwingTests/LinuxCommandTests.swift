import Foundation
import Reports
import TestImages
import Testing

/// Linux kernels as a user boots them: small ones, which print what they are given and switch the machine off.
@Suite(.needsKVM) struct LinuxCommandTests {
  private static let kernels = [ReportingKernel.bzImage.bytes, ReportingKernel.pvh.bytes]

  @Test(arguments: kernels) func `a kernel is known by its file, and switches off with success`(kernel: [UInt8]) throws
  {
    let file = try GuestFile(kernel)
    let disk = try GuestFile(Array("<disk>".utf8))
    let result = try Program.run([
      "run", file.path, "--append", "quiet", "--initrd", disk.path, "--format", "json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(RunReport.self, from: Data(result.output.utf8))
    #expect(report.success && report.outcome.kind == .poweredOff)
    #expect(report.machine.profile == "linux" && report.machine.memory == 512 << 20)
    #expect(report.console.text == "quiet3RSD PTR<disk>")
  }

  @Test func `without a command line there is one that shows something, and an empty one is empty`() throws {
    let file = try GuestFile(Self.kernels[0])
    let result = try Program.run(["run", file.path, "--quiet"])
    #expect(result.output == "console=ttyS0 panic=-13RSD PTR")
    #expect(try Program.run(["run", file.path, "--quiet", "--append", ""]).output == "3RSD PTR")
  }

  @Test func `a program becomes the guest's first, behind the initial RAM disk that is there`() throws {
    let kernel = try GuestFile(Self.kernels[0])
    let disk = try GuestFile(Array("abc".utf8))
    let program = try GuestFile(Array("PROGRAM".utf8))
    let result = try Program.run([
      "run", kernel.path, "--quiet", "--append", "", "--initrd", disk.path, "--init", program.path,
    ])
    #expect(result.status == 0, "\(result.errors)")
    let archive = result.output.dropFirst("3RSD PTR".count)
    #expect(archive.hasPrefix("abc\u{0}07070100000001000081ed"))
    #expect(archive.contains("init\u{0}"))
    #expect(archive.contains("PROGRAM\u{0}0707010000000100000000"))
    #expect(archive.hasSuffix("TRAILER!!!\u{0}\u{0}\u{0}\u{0}"))
  }

  @Test(arguments: kernels, ["kernel", "split"])
  func `a kernel that is saved on its way goes on from there`(kernel: [UInt8], irqchip: String) throws {
    let folder = try Folder()
    let file = try GuestFile(kernel)
    let snapshot = try Program.run([
      "snapshot", file.path, "--append", "abcdef", "--at", "exit:4", "--irqchip", irqchip, "-o", folder.path("s.json"),
      "--quiet",
    ])
    #expect(snapshot.status == 0, "\(snapshot.errors)")
    #expect(snapshot.output == "abcd")
    let result = try Program.run(["restore", folder.path("s.json"), "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "ef3RSD PTR")
  }

  private static func changed(_ change: (inout KernelImage) -> Void) -> [UInt8] {
    var image = ReportingKernel.bzImage
    change(&image)
    return image.bytes
  }

  @Test(
    arguments: [
      (changed { $0.bootFlag = 1 }, "the Linux kernel cannot be booted: its setup header is damaged"),
      (changed { $0.version = 0x0209 }, "it speaks version 2.9 of the boot protocol"),
      (changed { $0.extendedLoadFlags = 0 }, "no 64-bit entry (XLF_KERNEL_64)"),
      (changed { $0.paragraphs = 1 << 20 }, "the image is truncated: it ends before the end of the kernel's code"),
      (changed { $0.commandLineSize = 3 }, "the command line has 4 bytes, and this kernel takes at most 3"),
      (changed { $0.initialSize = 1 << 30 }, "lies outside of guest memory, which ends at"),
      (changed { $0.lastInitrdAddress = 0x20_0000 }, "the initial RAM disk, of 4 bytes, does not fit into memory"),
      ([0x1f, 0x8b, 8, 0], "the image is compressed with gzip"),
      ([UInt8](repeating: 0, count: 0x38) + Array("ARM".utf8) + [0x64], "a Linux kernel for ARM64"),
    ] as [([UInt8], String)])
  func `a kernel that cannot be booted ends with status 65 and the reason`(bytes: [UInt8], message: String) throws {
    let file = try GuestFile(bytes)
    let disk = try GuestFile([1, 2, 3, 4])
    let result = try Program.run(["run", file.path, "--append", "test", "--initrd", disk.path, "--machine", "linux"])
    #expect(result.status == 65, "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output == "")
  }

  @Test func `a kernel that panics and resets the machine fails, with what it said`() throws {
    let words = "[ 1.2] Kernel panic - not syncing: No init \u{1b}[31m\r\n"
    let kernel = try GuestFile(KernelImage(code: Code(.long).print(words).out(0x06, to: 0xcf9).halt().bytes).bytes)
    let result = try Program.run(["run", kernel.path, "--quiet"])
    #expect(result.status == 1)
    #expect(result.errors.contains("lapwing: the guest's kernel panicked: No init \\x1b[31m"), "\(result.errors)")
  }

  @Test(arguments: ["--initrd", "--init"])
  func `a RAM disk without an end is read as far as it could fit into the guest's memory`(option: String) throws {
    let kernel = try GuestFile(Self.kernels[0])
    for file in ["/dev/zero", "/proc/self/pagemap"] {
      let result = try Program.run(["run", kernel.path, option, file, "--memory", "16M"])
      #expect(result.status == 65)
      #expect(result.errors.hasSuffix(" '\(file)': it is larger than 16 MiB\n"), "\(result.errors)")
    }
    let other = try Program.run(["run", "hello", option, "/dev/zero"])
    #expect(other.status == 64, "\(other.errors)")
  }

  @Test func `a RAM disk that is not there, and one for another guest`() throws {
    let kernel = try GuestFile(Self.kernels[0])
    let missing = try Program.run(["run", kernel.path, "--initrd", "/no/such/file"])
    #expect(missing.status == 65)
    #expect(missing.errors.contains("cannot read the initial RAM disk '/no/such/file'"))
    let other = try Program.run(["run", "hello", "--initrd", kernel.path])
    #expect(other.status == 64)
    #expect(other.errors.contains("--initrd and --init are for Linux kernels"))
    let standard = try Program.run(["run", kernel.path, "--machine", "standard"])
    #expect(standard.status == 64)
    #expect(standard.errors.contains("--machine linux"))
  }
}
