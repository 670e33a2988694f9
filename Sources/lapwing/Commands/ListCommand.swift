import ArgumentParser
import BuiltInGuests
import Reports
import Support
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
      if let image, let output { return try write(image, to: try FilePath(output: output)) }
      let guests = BuiltInGuest.all.map { GuestList.Guest(name: $0.name, summary: $0.summary) }
      try show(GuestList(guests: guests), format) { $0.text(StandardOutput.style) }
      return .success
    }
  }

  private func write(_ image: String, to path: FilePath) throws(Failure) -> ExitStatus {
    guard let guest = BuiltInGuest.named(image) else {
      throw Failure("--image: there is no built-in guest of that name (see 'lapwing list')", .usage)
    }
    let file: OutputFile
    do throws(OutputFileError) {
      file = try OutputFile(path, permissions: [.ownerReadWrite, .groupRead, .otherRead], acceptsStreams: true)
    } catch {
      throw .unwritable("'\(path)'", error)
    }
    do {
      try file.write { _ = try $0.writeAll(guest.symbols) }
    } catch {
      throw .unwritable("'\(path)'", error)
    }
    return .success
  }
}
