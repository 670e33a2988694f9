import Glibc
import SystemPackage

/// Small text files of the kernel.
enum TextFile {
  /// A file's text, all of it.
  static func read(_ path: FilePath) throws(Errno) -> String {
    String(decoding: try open(path, .readOnly) { file throws(Errno) in try drain(file) }, as: UTF8.self)
  }

  /// Writes a text in one call, as the kernel's files want it.
  static func write(_ text: String, to path: FilePath) throws(Errno) {
    try open(path, .writeOnly) { file throws(Errno) in
      try call { _ = try file.writeAll(text.utf8) }
    }
  }

  /// Writes a text in place of what the file has.
  ///
  /// Where the kernel adds what is written to a list, opening it for this empties the list.
  static func replace(_ path: FilePath, with text: String) throws(Errno) {
    let file = try call { try FileDescriptor.open(path, .writeOnly, options: [.truncate, .closeOnExec]) }
    defer { try? file.close() }
    guard !text.isEmpty else { return }
    try call { _ = try file.writeAll(text.utf8) }
  }

  /// Everything that is there to be read, until the end of the file or until a read would block.
  ///
  /// - Parameter limit: how many bytes to stop at, give or take a chunk: a file that grows as fast as it is read has no
  ///   end.
  static func drain(_ file: FileDescriptor, limit: Int = .max) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      do throws(Errno) {
        let count = try call { try unsafe chunk.withUnsafeMutableBytes { unsafe try file.read(into: $0) } }
        guard count > 0 else { return bytes }
        bytes += chunk[..<count]
        if bytes.count >= limit { return bytes }
      } catch .resourceTemporarilyUnavailable {
        return bytes
      }
    }
  }

  static func open<Result>(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ body: (FileDescriptor) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    let file = try call { try FileDescriptor.open(path, mode, options: .closeOnExec) }
    defer { try? file.close() }
    return try body(file)
  }

  /// What may be done with a file or directory: nil for everything asked for, or why not.
  static func obstacle(_ path: FilePath, _ mode: Int32) -> Errno? {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe path.withPlatformString { unsafe access($0, mode) } == 0 ? nil : Errno(rawValue: errno)
  }

  static func makeDirectory(_ path: FilePath) throws(Errno) {
    // Sound: as above.
    guard unsafe path.withPlatformString({ unsafe mkdir($0, 0o700) }) == 0 else { throw Errno(rawValue: errno) }
  }

  static func removeDirectory(_ path: FilePath) throws(Errno) {
    // Sound: as above.
    guard unsafe path.withPlatformString({ unsafe rmdir($0) }) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Says which error it is that a call of the system library throws; it throws no other kind.
  static func call<Result>(_ body: () throws -> Result) throws(Errno) -> Result {
    do { return try body() } catch { throw error as? Errno ?? .ioError }
  }
}
