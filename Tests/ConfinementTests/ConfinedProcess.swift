import CTrial
import Confinement
import Foundation
import Testing

/// A process of its own that confines itself and tries something: `confinement-trial`, which is built beside the tests.
struct ConfinedProcess {
  /// What it printed, line by line.
  let lines: [String]
  let errors: String
  let status: Int32

  init(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("confinement-trial")
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // Both are short.
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    lines = text.split(separator: "\n").map(String.init)
    status = process.terminationStatus
  }

  /// All calls that are tried, by their index.
  static let calls: [(index: Int32, name: String, number: Int32)] = {
    var calls: [(Int32, String, Int32)] = []
    // Sound: each is a literal of the program's own, which ends with a zero.
    while let name = unsafe ctrial_name(Int32(calls.count)) {
      calls.append((Int32(calls.count), unsafe String(cString: name), ctrial_number(Int32(calls.count))))
    }
    return calls
  }()

  static let support = ConfinementSupport.ofThisKernel()
  static let hasKVM = unsafe access("/dev/kvm", R_OK | W_OK) == 0
}
