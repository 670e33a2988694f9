import Foundation
import SystemPackage

@testable import Watch

/// A folder with what a host's debugfs and /proc would have.
final class MadeUpHost {
  private let url = FileManager.default.temporaryDirectory.appendingPathComponent("watch-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url.appendingPathComponent("kvm"), withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func add(_ path: String, _ text: String) throws {
    let file = url.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// Adds a process with threads, by their ids and names.
  func addProcess(_ id: Int32, _ name: String, threads: [Int32: String] = [:]) throws {
    try add("proc/\(id)/comm", name + "\n")
    for (thread, name) in threads { try add("proc/\(id)/task/\(thread)/comm", name + "\n") }
  }

  var processes: HostProcesses { HostProcesses(root: FilePath(url.path).appending("proc")) }
  var finder: MachineFinder { MachineFinder(folder: FilePath(url.path).appending("kvm"), processes: processes) }
  var machines: [ForeignMachine] { finder.all() }
}

extension ForeignMachine {
  /// A machine whose vCPUs have these ids and threads.
  static func madeUp(_ process: Int32, _ descriptor: Int32 = 9, vcpus: [UInt32: Int32?]) -> ForeignMachine {
    ForeignMachine(
      process: process, descriptor: descriptor, program: "vmm",
      vcpus: vcpus.map { ForeignVCPU(id: $0.key, thread: $0.value) }.sorted { $0.id < $1.id },
      folder: FilePath("/nonexistent/\(process)-\(descriptor)"))
  }
}
