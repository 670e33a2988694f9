import Foundation
import Testing

/// What README promises.
enum Documented {
  /// The exit statuses of its table.
  static func statuses() throws -> Set<Int32> {
    let readme = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../README.md").standardizedFileURL
    let lines = try String(contentsOf: readme, encoding: .utf8).split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("| Status |") })
    let rows = lines[start...].prefix { $0.hasPrefix("|") }
    return Set(rows.flatMap { $0.split(separator: "|")[0].split(separator: ",") }.compactMap { Int32($0.trimmed) })
  }
}

extension Substring {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
