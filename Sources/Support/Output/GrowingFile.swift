import Glibc
public import SystemPackage

/// What a file that a person named is to have, while it comes into being over a longer time: the file takes its name at
/// the end, and until then nothing of it can be seen. Letting go of it, or the end of the process, however that comes about,
/// leaves nothing behind.
public struct GrowingFile: ~Copyable {
  private let output: OutputFile
  /// A file without a name that can be given one; nil where the file system knows none such.
  private var staged: StagedFile?
  /// One that has lost its name then: it has to be copied.
  private let spool: FileDescriptor?

  /// Begins a file, and leaves the one that may be there as it is.
  ///
  /// - Parameter output: its place, which is no pipe and no device.
  /// - Throws: the error of the call that failed.
  public init(_ output: OutputFile) throws(Errno) { try self.init(output, asSpool: false) }

  /// - Parameter asSpool: whether it is one that has to be copied, whatever the file system can do.
  init(_ output: OutputFile, asSpool: Bool) throws(Errno) {
    self.output = output
    staged = asSpool ? nil : try StagedFile(unnamedAt: output.path, permissions: output.permissions)
    if let file = staged?.descriptor { output.kept?.give(to: file) }
    spool = staged == nil ? try StagedFile.namelessSpool(besides: output.path) : nil
  }

  deinit { try? spool?.close() }

  /// Adds to it.
  ///
  /// - Parameter bytes: what comes next.
  /// - Throws: the error of write(2).
  public mutating func append(_ bytes: [UInt8]) throws(Errno) {
    let file = spool ?? staged?.descriptor
    try OutputFile.call { _ = try file?.writeAll(bytes) }
  }

  /// Gives it its name, once it is on disk. Signals wait meanwhile (`SignalShield`).
  ///
  /// - Throws: the error of the call that failed; the file that was there is as it was then.
  public mutating func commit() throws {
    if let spool { return try output.write { try Self.copy(spool, to: $0) } }
    try SignalShield.hold { () throws(any Error) in
      try staged?.fill { _ in }
      try staged?.commit()
    }
  }

  private static func copy(_ spool: FileDescriptor, to file: FileDescriptor) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var position: Int64 = 0
    while true {
      // Sound: the call fills at most as many bytes as the buffer has.
      let count = try unsafe buffer.withUnsafeMutableBytes {
        try unsafe spool.read(fromAbsoluteOffset: position, into: $0)
      }
      guard count > 0 else { return }
      try file.writeAll(buffer.prefix(count))
      position += Int64(count)
    }
  }
}
