import Figures
import Foundation

/// What was measured, in nanoseconds an exit.
struct ExitCosts: Encodable {
  let exitsPerBatch: UInt32
  let batches: Int
  let floor: Figures
  let lapwing: Figures
  /// Lapwing over the floor, batch by batch.
  let ratio: Figures

  init(exits: UInt32, floor: [Double], lapwing: [Double]) {
    exitsPerBatch = exits
    batches = floor.count
    self.floor = Figures(of: floor)
    self.lapwing = Figures(of: lapwing)
    ratio = Figures(of: zip(lapwing, floor).map { $0 / $1 })
  }

  /// As JSON, its keys sorted.
  func json() throws(Failure) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      throw Failure(message: "the result cannot be encoded: \(error)", status: Failure.internalFault)
    }
  }

  /// For a person.
  func table() -> String {
    """
    \(batches) batches of \(exitsPerBatch) port exits each, in turns

    floor    \(Self.line(floor, "%.0f")) ns an exit
    lapwing  \(Self.line(lapwing, "%.0f")) ns an exit
    x floor  \(Self.line(ratio, "%.3f"))
    """
  }

  private static func line(_ figures: Figures, _ format: String) -> String {
    let numbers = [figures.median, figures.lowerQuartile, figures.upperQuartile].map { String(format: format, $0) }
    return "\(numbers[0]) (quartiles \(numbers[1]) to \(numbers[2]))"
  }
}
