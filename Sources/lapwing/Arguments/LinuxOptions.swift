import ArgumentParser
import Support
import SystemPackage
import VMM

/// What a Linux kernel finds beside its command line, from the command line of this program.
struct LinuxOptions: ParsableArguments {
  /// What shows something, and ends where the kernel panics.
  static let defaultCommandLine = "console=ttyS0 panic=-1"
  /// A larger file is no initial RAM disk of a small machine.
  private static let sizeLimit: UInt64 = 1 << 30

  @Option(help: "The initial RAM disk of a Linux kernel: cpio archives, compressed or not.", completion: .file())
  var initrd: String?

  @Option(
    name: .customLong("init"),
    help: """
      A statically linked program that becomes the guest's /init, in an archive that is made for it, behind that of \
      --initrd if there is one.
      """, completion: .file())
  var initProgram: String?

  /// Whether anything goes beside the kernel.
  var areAny: Bool { initrd != nil || initProgram != nil }

  /// A kernel's image with what goes beside it.
  ///
  /// - Parameters:
  ///   - memory: the guest's memory in bytes, into which it has to fit.
  ///   - patience: how long a pipe may take to its end.
  func completing(_ image: GuestImage, memory: UInt64, within patience: Duration) throws(Failure) -> GuestImage {
    var image = image
    let limit = Int(min(memory, Self.sizeLimit))
    var bytes: [UInt8] = []
    if let initrd {
      bytes = try readInput(initrd, as: "the initial RAM disk ", limit: limit, within: patience)
    }
    if let initProgram {
      let program = try readInput(initProgram, as: "the program ", limit: limit, within: patience)
      bytes = InitialRAMDisk.appending(initProgram: program, to: bytes)
    }
    if areAny { image.initrd = ImageBytes(bytes) }
    return image
  }
}
