import Foundation
import Testing

/// The program with a guest that waits for gdb, at a socket of its own.
final class DebuggedProgram {
  let program: Program
  /// The socket's path.
  let socket: String

  /// Starts it, and waits until gdb can come.
  init(_ arguments: [String]) throws {
    socket = FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString.prefix(8))").path
    let program = try Program(arguments + ["--gdb", socket])
    self.program = program
    try #require(program.wait { program.errorsSoFar.contains("target remote") }, "\(program.errorsSoFar)")
  }

  /// Has gdb carry out commands, and waits for it to end.
  ///
  /// - Parameters:
  ///   - commands: what it does after `target remote`.
  ///   - symbols: a file with symbols.
  /// - Returns: what it printed.
  func gdb(_ commands: [String], symbols: String? = nil) throws -> String {
    try GDB(commands, on: socket, symbols: symbols).output()
  }
}

/// GNU gdb in batch mode: commands in, what it prints out.
final class GDB {
  private let process = Process()
  private let file: URL
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Starts it.
  init(_ commands: [String], on socket: String, symbols: String? = nil) throws {
    file = FileManager.default.temporaryDirectory.appendingPathComponent("gdb-\(UUID().uuidString)")
    try Data().write(to: file)
    // Tests run on threads that block signals, and gdb would inherit that.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let all =
      ["set pagination off", "set confirm off", "set width 0", "set remotetimeout 60", "target remote \(socket)"]
      + commands
    process.arguments =
      ["--default-signal=INT", try #require(Host.gdb), "-nx", "-batch"] + all.flatMap { ["-ex", $0] }
      + (symbols.map { [$0] } ?? [])
    process.standardInput = FileHandle.nullDevice
    let output = try FileHandle(forWritingTo: file)
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { [hasEnded] _ in hasEnded.signal() }
    try process.run()
  }

  deinit { try? FileManager.default.removeItem(at: file) }

  /// What it has printed so far.
  var outputSoFar: String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

  /// Presses Ctrl-C until the guest has stopped; says whether it has. One that comes before gdb waits for the guest is lost.
  func interrupt() -> Bool {
    func hasStopped() -> Bool { outputSoFar.contains("received signal SIGINT") }
    return wait {
      if !hasStopped() { kill(process.processIdentifier, SIGINT) }
      let deadline = ContinuousClock.now + .seconds(2)
      while !hasStopped(), ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.01) }
      return hasStopped()
    }
  }

  /// Waits until a condition holds or it has ended, at most for a minute; says whether the condition held.
  func wait(until condition: () -> Bool) -> Bool { process.wait(until: condition) }

  /// What it has printed when it has ended; one that does not within a minute is killed, it alone, and that is an issue.
  func output() -> String {
    if hasEnded.wait(timeout: .now() + 60) == .timedOut {
      kill(process.processIdentifier, SIGKILL)
      hasEnded.wait()
      Issue.record("gdb did not end within a minute: \(outputSoFar)")
    }
    return outputSoFar
  }
}

/// A built-in guest's ELF file with symbols, removed with this object.
final class SymbolFile {
  let path: String

  init(_ guest: String) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("\(guest)-\(UUID().uuidString).elf").path
    let result = try Program.run(["list", "--image", guest, "-o", path])
    try #require(result.status == 0, "\(result.errors)")
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
