import ArgumentParser
import Support
import SystemPackage

extension ParsableCommand {
  /// Says that an argument is no text: taken for one, it would name another file than was meant.
  ///
  /// - Parameter argument: what can be read of it.
  /// - Returns: the exit status.
  static func refusal(ofWhatIsNoText argument: String) -> ExitCode {
    StandardError.print("lapwing: the argument '\(argument.excerpt)' is not UTF-8; rename such a file")
    return ExitStatus.usage.code
  }

  /// Refuses an argument that is longer than any path: none of this program's has to be. So are very many, with whose square
  /// the time grows that the parser takes.
  ///
  /// - Throws: the exit status.
  static func refuseLongOnes(among arguments: [String]) throws {
    guard arguments.count <= 10_000 else {
      StandardError.print("lapwing: there are \(arguments.count) arguments; at most 10000 are read")
      throw ExitStatus.usage.code
    }
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
    // What has an exit status alone has said it already.
    guard !(error is ExitCode) else { exit(withError: error) }
    guard exitCode(for: error) != .success else { endWithPage(fullMessage(for: error)) }
    guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
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

  /// Ends the program with a page of its own, such as its help, unless nobody takes that.
  private static func endWithPage(_ page: String) -> Never {
    do throws(Errno) { try StandardOutput.print(page) } catch {
      StandardError.print("lapwing: \(Failure.standardOutput(error).message)")
      exit(withError: ExitStatus.badFile.code)
    }
    exit(withError: ExitCode.success)
  }
}
