import CSupport
import Glibc
public import SystemPackage

/// A file that is complete or being written, and is to take the place of another. Letting go of it leaves that as it is and
/// nothing behind.
public struct StagedFile: ~Copyable {
  private let place: FilePath
  private let file: FileDescriptor
  /// Its name; nil while it has none.
  private var name: FilePath?

  init(at place: FilePath, permissions: FilePermissions) throws(Errno) {
    self.place = place
    if let file = try Self.openUnnamed(in: place.folder, permissions) {
      self.file = file
      return
    }
    let name = Self.newName(in: place.folder)
    file = try Self.create(name, .writeOnly, permissions)
    self.name = name
  }

  /// One without a name; nil where the file system has none such.
  init?(unnamedAt place: FilePath, permissions: FilePermissions) throws(Errno) {
    guard let file = try Self.openUnnamed(in: place.folder, permissions) else { return nil }
    self.place = place
    self.file = file
  }

  /// A file for reading and writing that has lost its name, in the folder of another: it is gone once it is closed.
  ///
  /// - Parameter place: the other file's path.
  /// - Throws: `Errno` of open(2).
  public static func namelessSpool(besides place: FilePath) throws(Errno) -> FileDescriptor {
    let name = newName(in: place.folder)
    return try SignalShield.hold { () throws(Errno) in
      let file = try create(name, .readWrite, .ownerReadWrite)
      HostFile.remove(name)
      return file
    }
  }

  /// What it is written by.
  var descriptor: FileDescriptor { file }

  private static func openUnnamed(in folder: FilePath, _ permissions: FilePermissions) throws(Errno) -> FileDescriptor?
  {
    // Sound: the path is NUL-terminated and outlives the call.
    let answer = unsafe folder.withPlatformString {
      unsafe csupport_open_unnamed($0, UInt32(permissions.rawValue))
    }
    if answer >= 0 { return FileDescriptor(rawValue: answer) }
    // Without the feature a file system says one of these (open(2), under O_TMPFILE).
    guard [.notSupportedOnSocket, .isDirectory, .invalidArgument].contains(Errno(rawValue: -answer)) else {
      throw Errno(rawValue: -answer)
    }
    return nil
  }

  /// Makes a file that was not there: neither one that is there is opened, nor what a link leads to.
  static func create(
    _ name: FilePath, _ mode: FileDescriptor.AccessMode, _ permissions: FilePermissions
  ) throws(Errno) -> FileDescriptor {
    try OutputFile.call {
      try .open(name, mode, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: permissions)
    }
  }

  deinit {
    try? file.close()
    if let name { HostFile.remove(name) }
  }

  /// Has it written, and waits until it is on disk (fsync(2)), where a file system says at the latest that it has no room.
  mutating func fill(_ body: (FileDescriptor) throws -> Void) throws {
    try body(file)
    guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Gives it its place.
  ///
  /// - Throws: The error of rename(2) or linkat(2); the file that was there is as it was then.
  public mutating func commit() throws(Errno) {
    if name == nil {
      let answer = link(to: place)
      if answer == 0 { return Self.sync(place.folder) }
      guard Errno(rawValue: -answer) == .fileExists else { throw Errno(rawValue: -answer) }
      // Only a rename replaces a file, and only a file that has a name can be renamed.
      let new = Self.newName(in: place.folder)
      let second = link(to: new)
      guard second == 0 else { throw Errno(rawValue: -second) }
      name = new
    }
    guard let old = name else { return }
    // Sound: the paths are NUL-terminated and outlive the call.
    let answer = unsafe old.withPlatformString { old in
      unsafe place.withPlatformString { unsafe rename(old, $0) }
    }
    guard answer == 0 else { throw Errno(rawValue: errno) }
    name = nil
    Self.sync(place.folder)
  }

  private func link(to path: FilePath) -> Int32 {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe path.withPlatformString { unsafe csupport_link_unnamed(file.rawValue, $0) }
  }

  /// A name is on disk once its folder is. Some file systems cannot be asked for that.
  private static func sync(_ folder: FilePath) {
    guard let directory = try? FileDescriptor.open(folder, .readOnly, options: .closeOnExec) else { return }
    _ = fsync(directory.rawValue)
    try? directory.close()
  }

  /// A name that nobody can know, and have a link to a file of this user's there first.
  private static func newName(in folder: FilePath) -> FilePath {
    folder.appending(".lapwing-\(String(UInt64.random(in: .min ... .max), radix: 36)).new")
  }
}

/// Holds signals back while something is done that must not be left half done.
public enum SignalShield {
  /// Has signals wait until `body` is done. They wait in the calling thread, so what they are to spare has to be one that
  /// other threads of the process hold them back in as well, or the only one.
  ///
  /// - Parameter body: What is done: nothing that could wait for somebody.
  public static func hold<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var all = sigset_t()
    var old = sigset_t()
    // Sound: each call reads or writes the sets that it is given.
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &old, nil) }
    return try body()
  }
}
