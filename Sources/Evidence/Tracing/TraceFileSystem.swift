import CEvidence
import Glibc
import Support
import Synchronization
public import SystemPackage

/// The kernel's trace file system: where it is mounted, or a mount that only this process has.
final class TraceFileSystem: Sendable {
  /// Its root.
  let root: FilePath
  private let ownMount: FileDescriptor?

  /// Finds it, or mounts it.
  ///
  /// A mount of ours has no place in the file system: there is none to remove, and it ends with its descriptor however
  /// the process ends.
  init(_ paths: TracePaths) throws(TraceUnavailable) {
    var reasons: [String] = []
    for candidate in paths.candidates
    where TextFile.obstacle(candidate.appending("events"), F_OK) != .noSuchFileOrDirectory {
      guard let obstacle = Self.obstacle(candidate) else {
        root = candidate
        ownMount = nil
        return
      }
      reasons.append(obstacle)
    }
    guard paths.mayMount else {
      throw TraceUnavailable(reasons.first ?? "tracefs is not mounted")
    }
    // Sound: the call reads the name and keeps nothing of it.
    let answer = unsafe cevidence_mount("tracefs")
    guard answer >= 0 else {
      let remedy = MountList.remedy("tracefs", at: "/sys/kernel/tracing")
      let reason = TraceUnavailable("tracefs cannot be mounted", Errno(rawValue: -answer), remedy: remedy)
      throw TraceUnavailable((reasons + [reason.description]).joined(separator: "; "))
    }
    let mount = FileDescriptor(rawValue: answer)
    let root = FilePath("/proc/self/fd/\(answer)")
    if let obstacle = Self.obstacle(root) {
      try? mount.close()
      throw TraceUnavailable("tracefs was mounted, but \(obstacle)")
    }
    self.root = root
    ownMount = mount
  }

  deinit { try? ownMount?.close() }

  private static let kept = Mutex<TraceFileSystem?>(nil)

  /// Finds it now, or mounts it, for all who look for it later: the process may give up the right to mount meanwhile.
  static func keep() -> TraceFileSystem? {
    kept.withLock { kept in
      if kept == nil { kept = try? TraceFileSystem(TracePaths()) }
      return kept
    }
  }

  /// The one that is kept, or else what is found now.
  static func find(_ paths: TracePaths) throws(TraceUnavailable) -> TraceFileSystem {
    if paths == TracePaths(), let kept = kept.withLock({ $0 }) { return kept }
    return try TraceFileSystem(paths)
  }

  /// Why nothing can be recorded there; nil where it can.
  private static func obstacle(_ root: FilePath) -> String? {
    if let problem = TextFile.obstacle(root.appending("instances"), R_OK | W_OK | X_OK) {
      return "\(root)/instances cannot be used: \(problem)"
    }
    if let problem = TextFile.obstacle(root.appending("events/kvm"), F_OK) {
      return "\(root)/events/kvm cannot be used: \(problem)"
    }
    return nil
  }
}

/// Why nothing can be recorded on this host. Evidence then rests on counters.
public struct TraceUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, in the host's words.
  public let description: String

  /// Nothing can be recorded for that reason.
  public init(_ description: String) {
    self.description = description
  }

  /// Nothing can be recorded, because of a call that failed.
  ///
  /// - Parameters:
  ///   - what: what cannot be done.
  ///   - error: what the call said.
  ///   - remedy: what to do about it, unless descriptors have run out, for which there is another.
  init(_ what: String, _ error: Errno, remedy: String? = nil) {
    description = "\(what): \(error.withAdvice)" + (error.isOfDescriptors ? "" : remedy.map { "; \($0)" } ?? "")
  }
}

/// The kernel's debug file system, where KVM has a folder for each machine: where it is mounted, or a mount that only this
/// process has.
public final class DebugFileSystem: Sendable {
  /// KVM's folder in it.
  public let machines: FilePath
  private let ownMount: FileDescriptor?

  /// Finds it, or mounts it; a mount of ours ends with this value, however the process ends.
  ///
  /// - Parameters:
  ///   - customary: where it is mounted by custom.
  ///   - mounts: the list of mounts, for other places.
  ///   - mayMount: whether it may be mounted where it is nowhere.
  /// - Throws: `TraceUnavailable` with what is in the way, and what to do about it.
  public init(
    customary: FilePath = "/sys/kernel/debug", mounts: FilePath = "/proc/mounts", mayMount: Bool = true
  ) throws(TraceUnavailable) {
    let listed = MountList.places(of: "debugfs", in: (try? TextFile.read(mounts)) ?? "")
    for candidate in [customary] + listed.filter({ $0 != customary }) {
      let folder = candidate.appending("kvm")
      switch TextFile.obstacle(folder, R_OK | X_OK) {
      case nil:
        (machines, ownMount) = (folder, nil)
        return
      case .noSuchFileOrDirectory?: continue
      case let error?:
        throw TraceUnavailable("\(folder) cannot be read", error, remedy: "run as root")
      }
    }
    guard mayMount else {
      throw TraceUnavailable("debugfs is not mounted; mount it: mount -t debugfs nodev /sys/kernel/debug")
    }
    // Sound: the call reads the name and keeps nothing of it.
    let answer = unsafe cevidence_mount("debugfs")
    guard answer >= 0 else {
      let error = Errno(rawValue: -answer)
      let remedy = MountList.remedy("debugfs", at: "/sys/kernel/debug")
      throw TraceUnavailable("debugfs is not mounted, and cannot be", error, remedy: remedy)
    }
    let mount = FileDescriptor(rawValue: answer)
    let folder = FilePath("/proc/self/fd/\(answer)/kvm")
    if let error = TextFile.obstacle(folder, R_OK | X_OK) {
      try? mount.close()
      if TextFile.obstacle("/proc/self/fd", R_OK) != nil {
        throw TraceUnavailable("debugfs is not mounted, and needs /proc to be read without; mount -t proc proc /proc")
      }
      throw TraceUnavailable("debugfs has no folder 'kvm' (\(error)): is the module kvm loaded? modprobe kvm")
    }
    (machines, ownMount) = (folder, mount)
  }

  deinit { try? ownMount?.close() }
}

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
