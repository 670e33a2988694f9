import ArgumentParser
import BuiltInGuests
import Reports

/// `lapwing list`: the guests with a line each.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the built-in guests.")

  @Option(help: "human or json.")
  var format = ReportFormat.human

  func run() throws {
    try perform { () throws(Failure) in
      let guests = BuiltInGuest.all.map { GuestList.Guest(name: $0.name, summary: $0.summary) }
      try show(GuestList(guests: guests), format) { $0.text(StandardOutput.style) }
      return .success
    }
  }
}
