import Foundation
import Glibc

/// What perf records of the whole host, and how long it takes to print it.
final class PerfRecording {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "lapwing-perf-\(UUID().uuidString)")
  private let recording: Process
  private var file: String { folder.appending(path: "perf.data").path }

  /// It looks for tracefs only at its customary places; a mount there is this program's alone.
  private static let mounting =
    "mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null; exec perf \"$@\""

  /// Begins to record.
  ///
  /// - Parameter tracepoints: which, of KVM's; those that this kernel lacks are left out.
  /// - Throws: `Failure` where there is no room for it.
  /// - Returns: nil where there is no perf, or it cannot record.
  init?(of tracepoints: [String]) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    recording = Self.perf(
      ["record", "-q", "-a", "-m", "4096", "-o", folder.appending(path: "perf.data").path]
        + tracepoints.flatMap { ["-e", "kvm:\($0)"] })
    guard (try? recording.run()) != nil else { return nil }
    // It says nothing when it has begun; what it misses at the beginning makes no difference to what an event costs.
    Thread.sleep(forTimeInterval: 2)
    guard recording.isRunning else { return nil }
  }

  deinit {
    if recording.isRunning {
      recording.interrupt()
      recording.waitUntilExit()
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Ends recording.
  func end() throws {
    recording.interrupt()
    recording.waitUntilExit()
    guard FileManager.default.fileExists(atPath: file) else { throw Failure("perf recorded nothing", 70) }
  }

  /// Prints the events.
  ///
  /// - Returns: how many there are, and how many seconds of processor time it takes to print them.
  func script() throws -> (events: Int, time: Double) {
    let counter = Self.perf(["script", "-i", file])
    let pipe = Pipe()
    counter.standardOutput = pipe
    try counter.run()
    var events = 0
    while case let piece = pipe.fileHandleForReading.availableData, !piece.isEmpty {
      events += piece.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    }
    counter.waitUntilExit()
    guard events > 0 else { throw Failure("perf script prints nothing", 70) }
    let start = ProcessorTime.ofChildren
    let printer = Self.perf(["script", "-i", file])
    try printer.run()
    printer.waitUntilExit()
    return (events, ProcessorTime.ofChildren - start)
  }

  /// perf in a mount namespace of its own, whose output goes nowhere.
  private static func perf(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["unshare", "--mount", "sh", "-c", mounting, "sh"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    return process
  }
}
