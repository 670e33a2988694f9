import ArgumentParser
import Glibc

/// When a run is to take a snapshot by itself, as people write it: at a signal, `USR1` or `SIGUSR1`; or at a `failure`.
struct SnapshotOccasion: ExpressibleByArgument, CustomStringConvertible {
  private static let all: [(name: String, signal: Int32?)] = [
    ("USR1", SIGUSR1), ("USR2", SIGUSR2), ("HUP", SIGHUP), ("QUIT", SIGQUIT), ("failure", nil),
  ]

  /// The signal; nil for a failure.
  let signal: Int32?
  let description: String

  init?(argument: String) {
    let name = argument.uppercased()
    let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
    guard let occasion = Self.all.first(where: { $0.name.uppercased() == short }) else { return nil }
    (description, signal) = occasion
  }

  static var allValueStrings: [String] { all.map(\.name) }
}

/// A pattern for file names with `%d` where a number goes.
struct NumberedFile: ExpressibleByArgument, CustomStringConvertible {
  private static let place = "%d"

  let description: String
  private let parts: (before: Substring, after: Substring)

  init?(argument: String) {
    guard let range = argument.firstRange(of: Self.place), !argument[range.upperBound...].contains(Self.place) else {
      return nil
    }
    description = argument
    parts = (argument[..<range.lowerBound], argument[range.upperBound...])
  }

  /// The name with that number.
  func name(_ number: Int) -> String { "\(parts.before)\(number)\(parts.after)" }
}
