import ArgumentParser
import Glibc

/// A signal that asks a run for a snapshot, as people write it: `USR1` or `SIGUSR1`.
struct SnapshotSignal: ExpressibleByArgument, CustomStringConvertible {
  private static let all: [(name: String, number: Int32)] = [
    ("USR1", SIGUSR1), ("USR2", SIGUSR2), ("HUP", SIGHUP), ("QUIT", SIGQUIT),
  ]

  let number: Int32
  let description: String

  init?(argument: String) {
    let name = argument.uppercased()
    let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
    guard let signal = Self.all.first(where: { $0.name == short }) else { return nil }
    number = signal.number
    description = signal.name
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
