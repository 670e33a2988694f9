import Figures
import Foundation

/// What was measured: the medians of rounds, in nanoseconds.
struct LatencyComparison {
  let rounds: Int
  let samples: Int
  var skipped: [String] = []
  private var medians: [(id: String, floor: [Double], lapwing: [Double])] = []

  init(rounds: Int, samples: Int) {
    self.rounds = rounds
    self.samples = samples
  }

  /// Adds a round's medians.
  mutating func add(_ id: String, floor: Double, lapwing: Double) {
    guard let index = medians.firstIndex(where: { $0.id == id }) else {
      medians.append((id, [floor], [lapwing]))
      return
    }
    medians[index].floor.append(floor)
    medians[index].lapwing.append(lapwing)
  }

  private struct Row: Encodable {
    let id: String
    let floor: Figures
    let lapwing: Figures
    /// Lapwing over the floor, round by round.
    let ratio: Figures
  }

  private struct Document: Encodable {
    let rounds: Int
    let samples: Int
    let measurements: [Row]
    let skipped: [String]
  }

  private var rows: [Row] {
    medians.map { entry in
      Row(
        id: entry.id, floor: Figures(of: entry.floor), lapwing: Figures(of: entry.lapwing),
        ratio: Figures(of: zip(entry.lapwing, entry.floor).map { $0 / $1 }))
    }
  }

  /// As JSON, its keys sorted.
  func json() throws(Failure) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let document = Document(rounds: rounds, samples: samples, measurements: rows, skipped: skipped)
    do {
      return String(decoding: try encoder.encode(document), as: UTF8.self)
    } catch {
      throw Failure("the result cannot be encoded: \(error)", Failure.internalFault)
    }
  }

  /// For a person.
  func table() -> String {
    let width = medians.map(\.id.count).max() ?? 0
    func cell(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - text.count, 0)) + text
    }
    func name(_ text: String) -> String { text + String(repeating: " ", count: max(width - text.count, 0)) }
    var lines = [
      "\(rounds) rounds of \(samples) samples; medians of a round in µs, their median over all rounds; ratios round by round",
      "",
      "\(name(""))  \(cell("floor", 9))  \(cell("lapwing", 9))  \(cell("x floor", 7))  quartiles",
    ]
    for row in rows {
      let times = [row.floor.median, row.lapwing.median].map { cell(String(format: "%.2f", $0 / 1000), 9) }
      let ratios = [row.ratio.median, row.ratio.lowerQuartile, row.ratio.upperQuartile].map {
        String(format: "%.3f", $0)
      }
      lines.append("\(name(row.id))  \(times[0])  \(times[1])  \(cell(ratios[0], 7))  \(ratios[1]) to \(ratios[2])")
    }
    return (lines + skipped.map { "skipped  \($0)" }).joined(separator: "\n")
  }
}
