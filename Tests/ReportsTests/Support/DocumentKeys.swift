import Foundation

/// The keys of a JSON document, as paths: `records[].kind`.
enum DocumentKeys {
  static func of(_ text: String) throws -> [String] {
    var paths: Set<String> = []
    collect(try JSONSerialization.jsonObject(with: Data(text.utf8)), "", into: &paths)
    return paths.sorted()
  }

  private static func collect(_ value: Any, _ path: String, into paths: inout Set<String>) {
    if let members = value as? [String: Any] {
      for (key, member) in members { collect(member, path.isEmpty ? key : "\(path).\(key)", into: &paths) }
    } else if let elements = value as? [Any] {
      for element in elements { collect(element, path + "[]", into: &paths) }
    } else {
      paths.insert(path)
    }
  }
}
