import ArgumentParser
import Support

extension ParsableCommand {
  /// Refuses an argument that is longer than any path: none of this program's has to be.
  ///
  /// - Throws: the exit status.
  static func refuseLongOnes(among arguments: [String]) throws {
    guard let long = arguments.first(where: { $0.utf8.count > HostFile.longestPath }) else { return }
    StandardError.print(
      "lapwing: the argument '\(long.excerpt)' has \(long.utf8.count) bytes; at most \(HostFile.longestPath) are a path"
    )
    throw ExitStatus.usage.code
  }

  /// Ends the program with what is wrong with its arguments, or with what they ask for, such as a help page.
  ///
  /// The parser quotes arguments as they are. A script may have them from anywhere, names of files mostly, so they are
  /// parsed once more with what a terminal would obey escaped: that goes wrong in the same way.
  ///
  /// - Parameters:
  ///   - error: what came of parsing and running.
  ///   - arguments: the command line.
  static func end(withError error: any Error, _ arguments: [String]) -> Never {
    // What has an exit status alone has said it already; what ends well is a page of the program's own.
    guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
    let harmless = arguments.map { Escape.shown($0) }
    guard harmless != arguments else { exit(withError: error) }
    do {
      _ = try parseAsRoot(harmless)
    } catch let sameError where exitCode(for: sameError) == .validationFailure {
      exit(withError: sameError)
    } catch {}
    StandardError.print("\(fullMessage(for: error))")
    exit(withError: exitCode(for: error))
  }
}
