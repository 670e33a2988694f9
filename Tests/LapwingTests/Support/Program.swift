import Foundation
import Testing

/// The program as its user starts it: arguments in, exit status and both streams out.
struct Program {
  /// How it ended.
  struct Result {
    let status: Int32
    /// Whether a signal killed it; `status` is its number then.
    let wasKilled: Bool
    let output: String
    let errors: String
  }

  /// The executable: it is built beside the tests.
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("lapwing").path

  private let process = Process()
  private let output: URL
  private let errors: URL
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Starts it.
  ///
  /// - Parameters:
  ///   - arguments: the program's.
  ///   - environment: what is set beside what the tests have; nil takes a variable away.
  ///   - wrapper: a command that runs the program, such as `unshare`.
  ///   - standardOutput: where its output goes; nil for a file, which `Result.output` has.
  init(
    _ arguments: [String], environment: [String: String?] = [:], through wrapper: [String] = [],
    standardOutput: FileHandle? = nil
  ) throws {
    let folder = FileManager.default.temporaryDirectory
    output = folder.appendingPathComponent("lapwing-\(UUID().uuidString)")
    errors = folder.appendingPathComponent("lapwing-\(UUID().uuidString)")
    for file in [output, errors] { try Data().write(to: file) }
    let command = wrapper + [Self.path] + arguments
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    process.environment = variables
    process.standardInput = FileHandle.nullDevice
    let files = (output: try FileHandle(forWritingTo: output), errors: try FileHandle(forWritingTo: errors))
    process.standardOutput = standardOutput ?? files.output
    process.standardError = files.errors
    process.terminationHandler = { [hasEnded] _ in hasEnded.signal() }
    // `Process` keeps them for good otherwise, and looks through /proc/self/fd in a way that a long list of descriptors
    // breaks.
    defer { for file in [files.output, files.errors] { try? file.close() } }
    try process.run()
  }

  /// Runs it to its end.
  static func run(
    _ arguments: [String], environment: [String: String?] = [:], through wrapper: [String] = [],
    standardOutput: FileHandle? = nil
  ) throws -> Result {
    let program = try Program(
      arguments, environment: environment, through: wrapper, standardOutput: standardOutput)
    return try program.result()
  }

  /// What it has printed so far.
  var outputSoFar: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  /// What it has written to standard error so far.
  var errorsSoFar: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

  /// Whether it has ended.
  var hasExited: Bool { !process.isRunning }

  /// The names of its threads.
  var threads: [String] {
    let folder = "/proc/\(process.processIdentifier)/task"
    let ids = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return ids.compactMap { try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8) }
      .map { String($0.prefix { $0 != "\n" }) }
  }

  /// The paths of the files that it has open.
  var openFiles: [String] {
    let folder = "/proc/\(process.processIdentifier)/fd"
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return descriptors.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
  }

  /// The id of its process.
  var id: Int32 { process.processIdentifier }

  /// Sends it a signal.
  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits until a condition holds or it has ended, at most for a minute; says whether the condition held.
  func wait(until condition: () -> Bool) -> Bool { process.wait(until: condition) }

  /// Waits for its end; a program that takes longer than a minute is killed, it alone, and that is an issue.
  func result() throws -> Result {
    if hasEnded.wait(timeout: .now() + 60) == .timedOut {
      kill(process.processIdentifier, SIGKILL)
      hasEnded.wait()
      Issue.record("the program did not end within a minute")
    }
    defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
    return Result(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: try String(contentsOf: output, encoding: .utf8), errors: try String(contentsOf: errors, encoding: .utf8))
  }
}

extension Process {
  /// Waits until a condition holds or the process has ended, at most for a minute; says whether the condition held.
  func wait(until condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
      guard isRunning, .now < deadline else { return condition() }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return true
  }
}
