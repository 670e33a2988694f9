import Glibc
public import SystemPackage

/// A file that a person names, or standard input, read from its beginning to its end, whatever its size.
public final class FileInput: Sendable {
  private let file: FileDescriptor
  private let isOwned: Bool

  /// Opens a file; a pipe too, one that nobody writes to being empty.
  ///
  /// - Parameter path: the file's path.
  /// - Throws: `HostFileError`.
  public init(_ path: FilePath) throws(HostFileError) {
    file = try HostFile.open(path, acceptsPipes: true)
    isOwned = true
  }

  private init(standardInput: FileDescriptor) {
    file = standardInput
    isOwned = false
  }

  /// Standard input, which stays open.
  public static var standardInput: FileInput { FileInput(standardInput: .standardInput) }

  deinit {
    if isOwned { try? file.close() }
  }

  /// Reads what is there, and waits where a pipe has nothing yet.
  ///
  /// - Parameter buffer: where it goes.
  /// - Returns: how many bytes; 0 at the end.
  /// - Throws: `Errno` of read(2).
  public func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
    while true {
      // Sound: the call writes at most as many bytes as the buffer has, which is valid during the call.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
      if count >= 0 { return count }
      switch Errno(rawValue: errno) {
      case .interrupted: continue
      case .resourceTemporarilyUnavailable: _ = try HostFile.waitForInput(file)
      case let error: throw error
      }
    }
  }
}
