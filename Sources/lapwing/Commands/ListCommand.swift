import ArgumentParser
import BuiltInGuests
import Reports
import SystemPackage

/// `lapwing list`: the guests with a line each, or the ELF file of one.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the built-in guests, or write one to a file.")

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Option(help: "Write this guest's ELF file, with its symbols and line tables for gdb.")
  var image: String?

  @Option(name: .shortAndLong, help: "The file to write it to.")
  var output: String?

  func validate() throws {
    guard (image == nil) == (output == nil) else {
      throw ValidationError("--image and --output go together: a guest and the file to write it to")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in
      if let image, let output { return try write(image, to: FilePath(output)) }
      let guests = BuiltInGuest.all.map { GuestList.Guest(name: $0.name, summary: $0.summary) }
      try show(GuestList(guests: guests), format) { $0.text(StandardOutput.style) }
      return .success
    }
  }

  private func write(_ image: String, to path: FilePath) throws(Failure) -> ExitStatus {
    guard let guest = BuiltInGuest.named(image) else {
      throw Failure("--image: there is no built-in guest of that name (see 'lapwing list')", .usage)
    }
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(guest.symbols) }
    } catch {
      throw Failure("cannot write '\(path)': \(error)", .badInput)
    }
    return .success
  }
}
