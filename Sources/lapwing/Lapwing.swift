import ArgumentParser

/// The command line.
@main
struct Lapwing: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lapwing",
    abstract: "Boots tiny guests on KVM and shows how every interrupt got there.",
    discussion: """
      Exit status: 0 success; 1 a check failed or the guest failed; 64 wrong usage; 65 bad input file; 69 this host \
      cannot; 70 an internal fault; 124 the time limit passed; 130 and 143 interrupted by SIGINT and SIGTERM.
      """,
    version: "0.1.0",
    subcommands: [
      RunCommand.self, SnapshotCommand.self, RestoreCommand.self, InspectCommand.self, DiffCommand.self,
      ListCommand.self, DoctorCommand.self, TestCommand.self, CompareCommand.self, BenchCommand.self, KutCommand.self,
    ])

  /// When the program began, which times in reports are counted from.
  static let start = ContinuousClock.now

  static func main() {
    _ = start
    // An option whose value may be left out, which the parser does not have beside filters.
    let arguments = CommandLine.arguments.dropFirst().map { $0 == "--sabotage" ? "--sabotage=stimulus" : $0 }
    do {
      try refuseLongOnes(among: arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      end(withError: error, arguments)
    }
  }
}
