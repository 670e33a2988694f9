import Foundation

/// Runs programs once, bounded in time, by way of the program `measure`: a parent as large as this one would lend its
/// own resident set to what it starts.
struct Stopwatch {
  /// Where `measure` is.
  let program: String
  /// The file that takes what a program prints.
  let output: String
  /// How many seconds a program may take.
  let limit: Int

  /// Runs a program and checks that it did its work.
  ///
  /// - Throws: `Failure` where it cannot be started, ends otherwise than expected, or does not end.
  func time(_ contender: Contender) throws(Failure) -> Run {
    try time(contender, output: output)
  }

  /// Runs a program for what it prints.
  ///
  /// - Throws: as `time`.
  func write(_ contender: Contender, to file: String) throws(Failure) {
    _ = try time(contender, output: file)
  }

  private func time(_ contender: Contender, output: String) throws(Failure) -> Run {
    let report = try start([String(limit), output, contender.program] + contender.arguments)
    let words = report.split(whereSeparator: \.isWhitespace)
    guard words.count == 4, let nanoseconds = Double(words[0]), let peak = Int(words[1]), let number = Int32(words[3])
    else { throw Failure("measure reported '\(report)'", Failure.Status.internalFault) }
    let printed = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
    guard words[2] == "exited", number == contender.expectedStatus, printed.contains(contender.expectedOutput) else {
      throw failure(of: contender, ending: String(words[2]), number: number, printed: printed)
    }
    return Run(milliseconds: nanoseconds / 1e6, peakKiB: peak)
  }

  private func start(_ arguments: [String]) throws(Failure) -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    do {
      try process.run()
    } catch {
      throw Failure("\(program) does not start: \(error)", Failure.Status.internalFault)
    }
    let report = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure("\(arguments[2]) could not be measured (see above)", Failure.Status.internalFault)
    }
    return report
  }

  private func failure(of contender: Contender, ending: String, number: Int32, printed: String) -> Failure {
    let what =
      switch ending {
      case "timeout": "did not end within \(number) s"
      case "signalled": "was killed by signal \(number)"
      case _ where number != contender.expectedStatus:
        "exited with \(number), where \(contender.expectedStatus) is success"
      default: "did not print '\(contender.expectedOutput)'"
      }
    let command = ([contender.program] + contender.arguments).joined(separator: " ")
    return Failure("\(command)\n  \(what); it printed:\n\(printed.suffix(2000))", Failure.Status.programFailed)
  }
}
