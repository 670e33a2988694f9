import SystemPackage

/// A file of the user's that is read whole, as far as it is not too large.
struct InputFile {
  /// The file's name, as the user gave it.
  let name: String
  /// What it is, for messages: "the guest".
  let noun: String
  /// The largest that is read, in bytes.
  let sizeLimit: Int

  /// Its bytes.
  ///
  /// - Throws: what the system says, or a `Failure` for a file that is too large.
  func contents() throws -> [UInt8] {
    let file = try FileDescriptor.open(FilePath(name), .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        // Sound: the buffer is valid during the call.
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
        if bytes.count > sizeLimit {
          throw Failure("\(noun) '\(name)' is larger than \(sizeLimit >> 20) MiB", .badInput)
        }
      }
    }
  }
}
