import Foundation

/// Writes the C table of guest images: `guest-catalog TABLE.c (SOURCE IMAGE SYMBOLS)...`.
///
/// The compiler takes the images in with `#embed`, so they lie in the program's read-only data and there is no file to
/// find at run time. A guest's summary is the first documentation line of its source.
@main
struct GuestCatalog {
  static func main() {
    do {
      try writeTable()
    } catch {
      try? FileHandle.standardError.write(contentsOf: Data("\(error)\n".utf8))
      exit(1)
    }
  }

  private static func writeTable() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let table = arguments.first, arguments.count % 3 == 1 else {
      throw CatalogError(problem: "usage: guest-catalog TABLE.c (SOURCE IMAGE SYMBOLS)...")
    }
    let paths = Array(arguments.dropFirst())
    var guests = try stride(from: 0, to: paths.count, by: 3).map { index in
      try Guest(source: URL(filePath: paths[index]), image: paths[index + 1], symbols: paths[index + 2])
    }
    guests.sort { $0.name < $1.name }
    try text(of: guests).write(to: URL(filePath: table), atomically: true, encoding: .utf8)
  }

  private static func text(of guests: [Guest]) -> String {
    var text = "#include \"GuestImages.h\"\n\n#pragma clang diagnostic ignored \"-Wc23-extensions\"\n\n"
    for (index, guest) in guests.enumerated() {
      for (name, file) in [("image", guest.image), ("symbols", guest.symbols)] {
        text += "static const unsigned char \(name)_\(index)[] = {\n#embed \(literal(file))\n};\n"
      }
    }
    text += "\nconst struct lapwing_guest_image lapwing_guest_images[] = {\n"
    for (index, guest) in guests.enumerated() {
      text += "  {\(literal(guest.name)), \(literal(guest.summary)), image_\(index), sizeof image_\(index), "
      text += "symbols_\(index), sizeof symbols_\(index)},\n"
    }
    return text + "};\nconst size_t lapwing_guest_image_count = \(guests.count);\n"
  }

  private static func literal(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

private struct Guest {
  let name: String
  let summary: String
  let image: String
  let symbols: String

  init(source: URL, image: String, symbols: String) throws {
    let lines = try String(contentsOf: source, encoding: .utf8).split(separator: "\n")
    guard let summary = lines.first(where: { $0.hasPrefix("/// ") }) else {
      throw CatalogError(problem: "\(source.path): error: a guest starts with a line '/// What it does.'")
    }
    name = source.deletingPathExtension().lastPathComponent
    self.summary = String(summary.dropFirst(4))
    self.image = image
    self.symbols = symbols
  }
}

private struct CatalogError: Error, CustomStringConvertible {
  let problem: String
  var description: String { problem }
}
