import Measurements

extension BenchReport {
  /// The largest file that is read, in bytes; a run of a thousand rounds has a fraction of that.
  public static let sizeLimit = 64 << 20

  /// Reads a document that `lapwing bench --format json` has written.
  ///
  /// - Parameter bytes: the file.
  /// - Throws: `JSONDocument.Unreadable` for anything else.
  public init(json bytes: [UInt8]) throws(JSONDocument.Unreadable) {
    self = try JSONDocument.read(BenchReport.self, schema: Self.schema, from: bytes)
    guard measurements.allSatisfy({ ($0.rounds ?? []).count <= BenchRunner.roundsLimit }) else {
      throw JSONDocument.Unreadable(description: "it has more than \(BenchRunner.roundsLimit) rounds")
    }
    guard measurements.allSatisfy({ $0.rounds == nil || ($0.tscKHz ?? 0) > 0 }) else {
      throw JSONDocument.Unreadable(description: "a measurement has rounds and no frequency of its TSC")
    }
  }
}
