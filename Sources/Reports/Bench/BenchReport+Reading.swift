import FoundationEssentials
import Measurements

extension BenchReport {
  /// A file that is no report of measurements.
  public struct Unreadable: Error, CustomStringConvertible {
    /// What is wrong with it.
    public let description: String
  }

  /// The largest file that is read, in bytes; a run of a thousand rounds has a fraction of that.
  public static let sizeLimit = 64 << 20

  /// Reads a document that `lapwing bench --format json` has written.
  ///
  /// - Parameter bytes: the file.
  /// - Throws: `Unreadable` for anything else.
  public init(json bytes: [UInt8]) throws(Unreadable) {
    struct Head: Decodable {
      var schema: String
    }
    do {
      let schema = try JSONDecoder().decode(Head.self, from: Data(bytes)).schema
      guard schema == Self.schema else { throw Unreadable(description: "it is '\(schema)', not '\(Self.schema)'") }
      self = try JSONDecoder().decode(BenchReport.self, from: Data(bytes))
    } catch let error as Unreadable {
      throw error
    } catch {
      throw Unreadable(description: "it is no document that 'lapwing bench --format json' writes: \(error.brief)")
    }
    guard measurements.allSatisfy({ ($0.rounds ?? []).count <= BenchRunner.roundsLimit }) else {
      throw Unreadable(description: "it has more than \(BenchRunner.roundsLimit) rounds")
    }
    guard measurements.allSatisfy({ $0.rounds == nil || ($0.tscKHz ?? 0) > 0 }) else {
      throw Unreadable(description: "a measurement has rounds and no frequency of its TSC")
    }
  }
}

extension Error {
  /// What is wrong with a document, and where in it.
  fileprivate var brief: String {
    guard let error = self as? DecodingError else { return "\(self)" }
    func at(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
      return path.isEmpty ? "" : " at \(path)"
    }
    return switch error {
    case .dataCorrupted(let context): "it is no JSON\(at(context))"
    case .keyNotFound(let key, let context): "the key '\(key.stringValue)' is missing\(at(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): "a value has the wrong type\(at(context))"
    @unknown default: "it cannot be decoded"
    }
  }
}
