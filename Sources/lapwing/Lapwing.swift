import ArgumentParser
import CProcess
import Reports

/// The command line.
@main
struct Lapwing: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lapwing",
    abstract: "Boots tiny guests on KVM and shows how every interrupt got there.",
    discussion: ExitStatus.summary,
    version: Version.text,
    subcommands: [
      RunCommand.self,
      SnapshotCommand.self,
      RestoreCommand.self,
      InspectCommand.self,
      DiffCommand.self,
      ConvertCommand.self,
      ListCommand.self,
      DoctorCommand.self,
      TestCommand.self,
      CompareCommand.self,
      ReportCommand.self,
      ExploreCommand.self,
      BenchCommand.self,
      KutCommand.self,
      WatchCommand.self,
    ])

  /// When the program began, which times in reports are counted from.
  static let start = ContinuousClock.now

  static func main() {
    _ = start
    cprocess_ignore_write_signals()
    // An option whose value may be left out, which the parser does not have beside filters.
    var arguments: [String] = []
    do {
      arguments = try readArguments().map { $0 == "--sabotage" ? "--sabotage=stimulus" : $0 }
      try refuseLongOnes(among: arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      end(withError: error, arguments)
    }
  }

  /// The arguments that the kernel handed over. `CommandLine.arguments` reads them from /proc, and has none where there is
  /// no /proc or no descriptor left.
  ///
  /// - Throws: the exit status, where one is not UTF-8.
  private static func readArguments() throws -> [String] {
    var arguments: [String] = []
    for index in 1..<max(cprocess_argument_count(), 1) {
      // Sound: the kernel ends every argument with NUL, and nobody changes it.
      guard let bytes = unsafe cprocess_argument(index) else { continue }
      guard let text = unsafe String(validatingCString: bytes) else {
        throw refusal(ofWhatIsNoText: unsafe String(cString: bytes))
      }
      arguments.append(text)
    }
    return arguments
  }
}

/// Which program this is.
enum Version {
  /// The release.
  static let number = "0.1.0"

  /// The commit of a package; nil for any other build.
  static var commit: String? {
    // Sound: a literal of the program's own, which ends with a zero.
    let commit = unsafe String(cString: cprocess_commit())
    return commit.isEmpty ? nil : commit
  }

  /// The release, and the commit of a package.
  static var text: String { commit.map { "\(number) (\($0))" } ?? number }
}

extension ReportOrigin {
  /// This program on this host.
  static let current = ReportOrigin(version: Version.number, commit: Version.commit)
}
