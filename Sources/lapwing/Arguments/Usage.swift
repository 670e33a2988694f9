import ArgumentParser
import Support

extension ParsableCommand {
  /// Ends the program with what is wrong with its arguments, or with what they ask for, such as a help page.
  ///
  /// The parser quotes arguments as they are. A script may have them from anywhere, names of files mostly, so they are
  /// parsed once more with what a terminal would obey escaped, and with the excess of long ones cut: that goes wrong in the
  /// same way.
  ///
  /// - Parameters:
  ///   - error: what came of parsing and running.
  ///   - arguments: the command line.
  static func end(withError error: any Error, _ arguments: [String]) -> Never {
    // What has an exit status alone has said it already; what ends well is a page of the program's own.
    guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
    let harmless = arguments.map { Escape.shown($0, atMost: TextLine.limit) }
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
