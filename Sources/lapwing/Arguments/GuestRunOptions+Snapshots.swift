import ArgumentParser
import Glibc
import Support
import SystemPackage
import VMM

/// Snapshots of a guest that runs, at a signal or a failure.
extension GuestRunOptions {
  func validateSnapshots() throws {
    if snapshotFile != nil, snapshotOn == nil { throw ValidationError("--snapshot-file needs --snapshot-on") }
  }

  /// The folder below which they go; nil where none were asked for.
  var snapshotFolder: FilePath? {
    guard snapshotOn != nil else { return nil }
    return snapshotFile?.folder ?? "."
  }

  /// What takes them; nil where none were asked for.
  func snapshots(of guest: String) -> NumberedSnapshots? {
    guard let snapshotOn else { return nil }
    let name = FilePath(guest).lastComponent?.string ?? "guest"
    guard let file = snapshotFile ?? NumberedFile(argument: name + ".%d.json") else { return nil }
    return NumberedSnapshots(snapshotOn, file, guest: guest)
  }
}

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

  /// The folder that all of them are below.
  var folder: FilePath { FilePath(parts.before + "0").folder }

  /// The name with that number.
  func name(_ number: Int) -> String { "\(parts.before)\(number)\(parts.after)" }
}

/// When a snapshot is taken, as people write it: `20ms`, `mark:3`, `mark:broadcast` or `exit:100`.
struct SnapshotMoment: ExpressibleByArgument, CustomStringConvertible {
  let moment: GuestMoment
  let description: String

  init?(argument: String) {
    guard let moment = GuestMoment(written: argument), moment != .time(.zero) else { return nil }
    self.moment = moment
    description = argument
  }
}
