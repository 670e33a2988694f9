import Support
import SystemPackage
import VMM

/// What a Linux kernel finds beside its command line.
extension MachineOptions {
  /// What shows something, and ends where the kernel panics.
  static let defaultLinuxCommandLine = "console=ttyS0 panic=-1"
  /// A larger file is no initial RAM disk of a small machine.
  private static let initrdLimit: UInt64 = 1 << 30

  /// A kernel's image with what goes beside it.
  ///
  /// - Parameters:
  ///   - memory: the guest's memory in bytes, into which it has to fit.
  ///   - patience: how long a pipe may take to its end.
  func completing(_ image: GuestImage, memory: UInt64, within patience: Duration) throws(Failure) -> GuestImage {
    var image = image
    let limit = Int(min(memory, Self.initrdLimit))
    var bytes: [UInt8] = []
    if let initrd {
      bytes = try readInput(initrd, as: "the initial RAM disk ", limit: limit, within: patience)
    }
    if let initProgram {
      let program = try readInput(initProgram, as: "the program ", limit: limit, within: patience)
      bytes = InitialRAMDisk.appending(initProgram: program, to: bytes)
    }
    image.initrd = ImageBytes(bytes)
    return image
  }
}
