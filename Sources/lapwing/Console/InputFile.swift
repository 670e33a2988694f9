import SystemPackage

/// A file that a person names.
enum InputFile {
  /// A file that holds more than it may.
  struct TooLarge: Error, CustomStringConvertible {
    let limit: Int
    var description: String { "it is larger than \(limit >> 20) MiB" }
  }

  /// All of a file.
  ///
  /// - Parameters:
  ///   - path: its path; what is no regular file, such as a pipe, is read to its end.
  ///   - limit: how many bytes it may have.
  /// - Throws: `Errno`, or `TooLarge` before more is read.
  static func read(_ path: FilePath, limit: Int = 256 << 20) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        // Sound: the buffer is valid during the call.
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
        if bytes.count > limit { throw TooLarge(limit: limit) }
      }
    }
  }
}
