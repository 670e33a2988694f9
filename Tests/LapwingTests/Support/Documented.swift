import Foundation
import Testing

/// What the documents promise.
enum Documented {
  /// The exit statuses of docs/command-line.md.
  static func statuses() throws -> Set<Int32> {
    let page = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../docs/command-line.md")
      .standardizedFileURL
    let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("| Status |") })
    let rows = lines[start...].prefix { $0.hasPrefix("|") }
    return Set(rows.flatMap { $0.split(separator: "|")[0].split(separator: ",") }.compactMap { Int32($0.trimmed) })
  }
}

extension Substring {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
