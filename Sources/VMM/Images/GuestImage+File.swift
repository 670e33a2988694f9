import Support
public import SystemPackage

extension GuestImage {
  /// An image larger than this, in bytes, is no tiny guest; it is refused before all of it is read.
  public static let sizeLimit = 256 << 20

  /// The image in a file, named as the file is.
  ///
  /// - Parameters:
  ///   - path: the file's.
  ///   - limit: how many bytes it may have.
  ///   - acceptsPipes: whether a pipe is read to its end as well, for a file that a person names.
  /// - Throws: `ImageError.unreadable`, `.pipe` and `.tooLarge`.
  public init(file path: FilePath, limit: Int = sizeLimit, acceptsPipes: Bool = false) throws(ImageError) {
    do throws(HostFileError) {
      self.init(
        name: path.lastComponent?.string ?? path.string,
        bytes: try HostFile.read(path, limit: limit, acceptsPipes: acceptsPipes))
    } catch {
      switch error {
      case .unreadable(let errno): throw .unreadable(errno)
      case .pipe: throw .pipe
      case .tooLarge(let limit): throw .tooLarge(limit: limit)
      }
    }
  }
}
