import Foundation

/// Replaces texts of a report by what somebody would write who wants to be mistaken for the program.
enum Vandal {
  /// A line's end, a line of the program's own, a colour, C1's CSI, an override of direction, a bell.
  static let text = "x\nvictim: passed; 7 checks held\u{1b}[2J\u{1b}[32m\u{9b}31m\u{202e}\r\u{2028}\u{7}\u{7f}y"

  /// The value with that in every text that may be anything, which is found by trying; keys of dictionaries included.
  static func treat<Value: Codable>(_ value: Value) throws -> Value {
    var json = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(value), options: [.fragmentsAllowed])
    var result = value
    var index = 0
    var traces = 0
    while true {
      var count = 0
      let changed = change(json, at: index, &count)
      guard count > index else { return result }
      index += 1
      guard let data = try? JSONSerialization.data(withJSONObject: changed, options: [.fragmentsAllowed]),
        let decoded = try? JSONDecoder().decode(Value.self, from: data)
      else { continue }
      // A member that nobody knows is lost, and one that may be absent is missed by nobody.
      let kept = String(decoding: try JSONEncoder().encode(decoded), as: UTF8.self).ranges(of: "victim").count
      if kept > traces { (json, result, traces) = (changed, decoded, kept) }
    }
  }

  /// The document with the text of a number replaced.
  private static func change(_ value: Any, at index: Int, _ count: inout Int) -> Any {
    switch value {
    case is String:
      defer { count += 1 }
      return count == index ? text : value
    case let members as [String: Any]:
      var result: [String: Any] = [:]
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        let newKey = count == index ? key + text : key
        count += 1
        result[newKey] = change(member, at: index, &count)
      }
      return result
    case let elements as [Any]: return elements.map { change($0, at: index, &count) }
    default: return value
    }
  }
}
