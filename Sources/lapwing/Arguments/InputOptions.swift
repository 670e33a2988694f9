import ArgumentParser
import Glibc
import Support
import SystemPackage
import VMM

/// What the guest's serial port receives: what `run` and `restore` have in common.
struct InputOptions: ParsableArguments {
  @Option(
    help: """
      What the guest receives on its serial console: a file, or - for standard input. It is given as fast as the guest \
      reads it.
      """, completion: .file())
  var input: String?

  private static let standardInput = "-"
  /// A longer file is no console input.
  private static let sizeLimit = 64 << 20

  /// The file that is read.
  var files: [(what: TextLine, name: String?)] { [("--input", input == Self.standardInput ? nil : input)] }

  /// What may interrupt the guest from outside, in words.
  var sources: [String] { input == Self.standardInput ? ["input from standard input"] : [] }

  /// What types it into a machine, read where it is a file: before signals are held, as it may be a pipe whose writer
  /// sleeps.
  ///
  /// - Parameter patience: how long that may take.
  func typist(within patience: Duration) throws(Failure) -> (@Sendable (Machine) -> Void)? {
    guard let input else { return nil }
    guard input != Self.standardInput else { return { Self.typeStandardInput(into: $0) } }
    let bytes = try readInput(input, as: "the input ", limit: Self.sizeLimit, within: patience)
    return { $0.serial.type(bytes) }
  }

  /// Reads on a thread of its own, which may wait in a read when the machine has long ended: nobody waits for it.
  private static func typeStandardInput(into machine: Machine) {
    try? HostThread.startDetached { [serial = machine.serial, stop = machine.stop] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while stop.reason == nil {
        // Sound: the call writes at most as many bytes as the buffer has.
        let count = try? unsafe buffer.withUnsafeMutableBytes { try unsafe FileDescriptor.standardInput.read(into: $0) }
        guard let count, count > 0 else { return }
        serial.type(Array(buffer[..<count]))
        while serial.waitingInput > buffer.count, stop.reason == nil { stop.wait(atMost: .milliseconds(1)) }
      }
    }
  }
}
