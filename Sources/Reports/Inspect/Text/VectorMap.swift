import APIC

/// The 256 vectors as a drawing: eight lines of 32, which are two priority classes each.
struct VectorMap {
  /// What the letters mean.
  static let legend =
    "r requested, s in service, b both, capital: level-triggered; t: level-triggered when last accepted"

  private var marks = [Character](repeating: ".", count: 256)

  init(requested: [UInt8], inService: [UInt8], levels: [UInt8]) {
    for vector in requested { marks[Int(vector)] = "r" }
    for vector in inService { marks[Int(vector)] = marks[Int(vector)] == "r" ? "b" : "s" }
    for vector in levels {
      switch marks[Int(vector)] {
      case "r": marks[Int(vector)] = "R"
      case "s": marks[Int(vector)] = "S"
      case "b": marks[Int(vector)] = "B"
      default: marks[Int(vector)] = "t"
      }
    }
  }

  /// Whether no vector has a mark.
  var isEmpty: Bool { !marks.contains { $0 != "." } }

  /// The drawing.
  func lines(indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return stride(from: 0, to: 256, by: 32).map { first in
      let halves = [marks[first..<first + 16], marks[first + 16..<first + 32]].map { String($0) }
      return "\(margin)\(hex(first, digits: 2)) \(halves.joined(separator: " "))"
    }
  }
}
