import FoundationEssentials

/// A report as a JSON document: keys sorted, so that two of them can be compared as text.
public enum JSONDocument {
  /// The document of `report`.
  ///
  /// - Throws: what the encoder throws; for the reports of this module nothing makes it do so.
  public static func text(_ report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  /// Reads a report back.
  ///
  /// - Parameters:
  ///   - type: the report's type.
  ///   - schema: what the document must say that it is, such as `lapwing.test/1`.
  ///   - bytes: the document.
  /// - Throws: `Unreadable`, which says where it is not as it should be.
  public static func read<Report: Decodable>(
    _ type: Report.Type, schema: String, from bytes: [UInt8]
  ) throws(Unreadable) -> Report {
    let data = Data(bytes)
    do {
      let kind = try JSONDecoder().decode(Kind.self, from: data).schema
      guard kind == schema else { throw Unreadable(description: "it says that it is '\(kind)'") }
      return try JSONDecoder().decode(type, from: data)
    } catch let error as Unreadable {
      throw error
    } catch let error as DecodingError {
      throw Unreadable(error)
    } catch {
      throw Unreadable(description: "\(error)")
    }
  }

  /// What every document has.
  private struct Kind: Decodable {
    let schema: String
  }

  /// Why a document cannot be read.
  public struct Unreadable: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and where.
    public let description: String
  }
}

extension JSONDocument.Unreadable {
  fileprivate init(_ error: DecodingError) {
    let (context, problem): (DecodingError.Context, String) =
      switch error {
      case .keyNotFound(let key, let context): (context, "'\(key.stringValue)' is missing")
      case .typeMismatch(let type, let context): (context, "no \(type)")
      case .valueNotFound(let type, let context): (context, "no \(type)")
      case .dataCorrupted(let context): (context, context.debugDescription)
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
      }
    let path = context.codingPath.reduce("") { path, key in
      if let index = key.intValue { return "\(path)[\(index)]" }
      return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
    }
    description = path.isEmpty ? problem : "\(path): \(problem)"
  }
}
