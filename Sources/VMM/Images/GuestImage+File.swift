public import SystemPackage

extension GuestImage {
  /// An image larger than this, in bytes, is no tiny guest; it is refused before all of it is read.
  public static let sizeLimit = 256 << 20

  /// The image in a file, named as the file is.
  ///
  /// - Parameters:
  ///   - path: the file's.
  ///   - limit: how many bytes it may have.
  /// - Throws: `ImageError.unreadable` and `.tooLarge`.
  public init(file path: FilePath, limit: Int = sizeLimit) throws(ImageError) {
    do {
      self.init(name: path.lastComponent?.string ?? path.string, bytes: try Self.contents(of: path, limit))
    } catch let error as ImageError {
      throw error
    } catch {
      throw .unreadable(error as? Errno ?? .ioError)
    }
  }

  private static func contents(of path: FilePath, _ limit: Int) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        // Sound: the buffer is valid during the call.
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
        if bytes.count > limit { throw ImageError.tooLarge(limit: limit) }
      }
    }
  }
}
