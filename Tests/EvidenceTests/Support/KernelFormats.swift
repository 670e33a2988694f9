import Foundation

@testable import Evidence

/// The formats of a kernel, as its tracefs has them: the folder Formats has files in which they follow one another.
struct KernelFormats {
  static let releases = ["6.1", "6.12", "6.18"]

  /// The texts by their file's name.
  let texts: [String: String]

  init(_ release: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appendingPathComponent("Formats/\(release).txt")
    var texts: [String: String] = [:]
    var name = ""
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("== ") {
        name = String(line.dropFirst(3))
      } else {
        texts[name, default: ""] += line + "\n"
      }
    }
    self.texts = texts
  }

  var page: PageFormat? { texts["header_page"].flatMap { Self.pageFormat($0) } }

  func format(_ event: String) -> EventFormat? { texts["kvm/\(event)/format"].flatMap { Self.eventFormat($0) } }

  /// What reads the events of this kernel.
  var decoder: EventDecoder? {
    page.flatMap { EventDecoder(page: $0, formats: Tracepoint.allCases.compactMap { format($0.rawValue) }) }
  }

  static func eventFormat(_ text: String) -> EventFormat? {
    let bytes = Array(text.utf8)
    return unsafe EventFormat(parsing: bytes.span.bytes)
  }

  static func pageFormat(_ text: String) -> PageFormat? {
    let bytes = Array(text.utf8)
    return unsafe PageFormat(parsing: bytes.span.bytes)
  }
}
