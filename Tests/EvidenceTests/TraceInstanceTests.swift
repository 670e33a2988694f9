import Foundation
import Glibc
import Support
import SystemPackage
import Testing

@testable import Evidence

/// Trace instances on this host's tracefs, where this user may make some, and hosts on which nobody may.
@Suite(.serialized) struct TraceInstanceTests {
  static let isUsable = (try? TraceFileSystem(TracePaths())) != nil

  /// Whether an instance is there, by its directory: other tests of this process have instances of their own.
  static func exists(_ directory: FilePath) -> Bool { TextFile.obstacle(directory, F_OK) == nil }

  @Test(.enabled(if: isUsable, "tracefs cannot be used here"))
  func `an instance is there until it is closed, and leaves nothing behind`() throws {
    let instance = try TraceInstance()
    #expect(Self.exists(instance.directory))
    #expect(instance.events.contains("kvm_apic_accept_irq"))
    try instance.begin()
    #expect(try instance.end().lost == 0)
    instance.close()
    instance.close()
    #expect(!Self.exists(instance.directory))
  }

  @Test(.enabled(if: isUsable, "tracefs cannot be used here"))
  func `an instance that is let go of is removed`() throws {
    let directory = try TraceInstance().directory
    #expect(!Self.exists(directory))
  }

  @Test(.enabled(if: isUsable, "tracefs cannot be used here"))
  func `a pool lends an instance again, and removes all at its end`() throws {
    let pool = TracePool()
    let first = try pool.lend()
    let second = try pool.lend()
    #expect(first !== second)
    pool.giveBack(first)
    #expect(try pool.lend() === first)
    pool.giveBack(first)
    pool.close()
    #expect(!Self.exists(first.directory) && Self.exists(second.directory))
    pool.giveBack(second)
    #expect(!Self.exists(second.directory))
  }

  @Test(.enabled(if: isUsable, "tracefs cannot be used here"))
  func `a pool lends a thread the instance that has recorded it`() throws {
    let pool = TracePool()
    defer { pool.close() }
    let (own, other) = (try pool.lend(), try pool.lend())
    try own.begin()
    _ = try own.end()
    let thread = try HostThread.start {
      try? other.begin()
      _ = try? other.end()
    }
    pthread_join(thread, nil)
    pool.giveBack(own)
    pool.giveBack(other)
    #expect(try pool.lend() === own)
    #expect(try pool.lend() === other)
  }

  @Test(.enabled(if: isUsable, "tracefs cannot be used here"))
  func `what a process that is no more left behind is removed`() throws {
    let fileSystem = try TraceFileSystem(TracePaths())
    // One of a process with this number in another namespace, and one of an earlier version's.
    let stale = ["lapwing-\(getpid())-1", "lapwing-\(1 << 30)-1"].map {
      fileSystem.root.appending("instances").appending($0)
    }
    for directory in stale { try TextFile.makeDirectory(directory) }
    let mine = try TraceInstance()
    TraceInstanceFolder.removeStale(in: fileSystem.root.appending("instances"))
    for directory in stale { #expect(TextFile.obstacle(directory, F_OK) == .noSuchFileOrDirectory) }
    #expect(Self.exists(mine.directory))
    try mine.begin()
    mine.close()
  }

  @Test func `a host without tracefs says so`() {
    let paths = TracePaths(customary: ["/nowhere"], mounts: "/nowhere/mounts", mayMount: false)
    #expect(throws: TraceUnavailable("tracefs is not mounted")) { try TraceInstance(paths) }
  }

  @Test func `a tracefs without kvm events says what is missing, every time`() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for name in ["instances", "events"] {
      try FileManager.default.createDirectory(
        at: root.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    let path = FilePath(root.path)
    let pool = TracePool(TracePaths(customary: [path], mounts: "/nowhere/mounts", mayMount: false))
    let reason = TraceUnavailable("\(path)/events/kvm cannot be used: No such file or directory")
    #expect(throws: reason) { try pool.lend() }
    #expect(throws: reason) { try pool.lend() }
  }

  @Test func `mounts are found in the list of mounts, blanks in their paths too`() {
    let mounts = "proc /proc proc rw 0 0\nnodev /tmp/a\\040b tracefs rw,relatime 0 0\nshort\n"
    #expect(MountList.places(of: "tracefs", in: mounts) == ["/tmp/a b"])
  }
}
