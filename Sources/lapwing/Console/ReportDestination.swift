import Glibc
import Reports
import Support
import SystemPackage

/// Where a report goes: standard output, or a file that has all of it or is left as it was.
struct ReportDestination {
  static let standardOutput = ReportDestination()

  private let target: Target?

  /// A file that is written, and the name that it gets when it is complete; nil where it is written in place.
  private struct Target {
    let path: FilePath
    let file: FileDescriptor
    let temporary: FilePath?
  }

  private init() { target = nil }

  /// A file. What is no regular file, such as a pipe, is written in place.
  init(file name: String) throws(Failure) {
    let path = FilePath(name)
    do {
      target = try Self.open(path)
    } catch {
      throw Failure("cannot write '\(name)': \(error)", .badInput)
    }
  }

  var isStandardOutput: Bool { target == nil }

  /// Colour is for terminals.
  var style: Style { isStandardOutput ? StandardOutput.style : Style() }

  /// Writes the report: once.
  func write(_ text: String) throws(Failure) {
    do {
      guard let target else { return try StandardOutput.print(text) }
      try target.file.closeAfter { _ = try target.file.writeAll((text + "\n").utf8) }
      if let temporary = target.temporary { try Self.rename(temporary, to: target.path) }
    } catch {
      throw Failure("the report cannot be written\(target.map { " to '\($0.path)'" } ?? ""): \(error)", .internalFault)
    }
  }

  /// Writes the report into its file, and what a person reads to standard output; where there is no file, the report
  /// alone to standard output.
  func write(_ text: String, summary: @autoclosure () -> String) throws(Failure) {
    try write(text)
    if !isStandardOutput { try Self.standardOutput.write(summary()) }
  }

  /// Leaves nothing behind where no report was written.
  func discard() {
    guard let temporary = target?.temporary else { return }
    unsafe temporary.withPlatformString { _ = unsafe unlink($0) }
  }

  private static func open(_ path: FilePath) throws -> Target {
    let kind = HostFile.kind(of: path)
    guard kind != .directory else { throw Errno.isDirectory }
    if kind == .special { return Target(path: path, file: try .open(path, .writeOnly), temporary: nil) }
    guard let name = path.lastComponent else { throw Errno.isDirectory }
    // The report replaces the file; one that may not be written is not to be replaced either.
    if kind != nil { try FileDescriptor.open(path, .writeOnly).close() }
    let temporary = path.removingLastComponent().appending(".\(name.string).\(getpid())")
    let file = try FileDescriptor.open(
      temporary, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
    return Target(path: path, file: file, temporary: temporary)
  }

  private static func rename(_ old: FilePath, to new: FilePath) throws(Errno) {
    let answer = unsafe old.withPlatformString { old in
      unsafe new.withPlatformString { unsafe Glibc.rename(old, $0) }
    }
    if answer != 0 { throw Errno(rawValue: errno) }
  }
}
