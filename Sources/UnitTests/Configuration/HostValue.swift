import SystemPackage

/// A value of the host's in a small file, such as a module's parameter.
enum HostValue {
  private static let limit = 4096

  /// The file's text without the newline at its end; nil where it cannot be read. It never waits, whatever the file is.
  static func read(_ path: FilePath) -> String? {
    guard let file = try? FileDescriptor.open(path, .readOnly, options: [.nonBlocking]) else { return nil }
    let text = try? file.closeAfter {
      var buffer = [UInt8](repeating: 0, count: limit)
      // Sound: the buffer is valid during the call.
      let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
      return String(decoding: buffer[..<count], as: UTF8.self)
    }
    guard let text else { return nil }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
