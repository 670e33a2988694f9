import FoundationEssentials
import JSON
import Support

/// A report as a JSON document: keys sorted, so that two of them can be compared as text.
public enum JSONDocument {
  /// The document of `report`.
  ///
  /// - Throws: what the encoder throws; for the reports of this module nothing makes it do so.
  public static func text(_ report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return withoutControlCharacters(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  /// The document on one line, for a stream of them.
  ///
  /// - Throws: as `text`.
  public static func line(_ report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return withoutControlCharacters(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  /// The document with every character by its number that a terminal would obey or hide: the encoder leaves those above
  /// U+007E as they are. Outside of strings a document has none.
  private static func withoutControlCharacters(_ document: String) -> String {
    func isHarmful(_ scalar: Unicode.Scalar) -> Bool { scalar != "\n" && Escape.isNeeded(for: scalar) }
    guard document.unicodeScalars.contains(where: isHarmful) else { return document }
    var result = String.UnicodeScalarView()
    for scalar in document.unicodeScalars {
      if isHarmful(scalar) { result += scalar.escapedForJSON.unicodeScalars } else { result.append(scalar) }
    }
    return String(result)
  }

  /// Much more than the report of a suite that was run a thousand times.
  private static let limits = JSONLimits(bytes: 256 << 20, values: 1 << 22)

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
    do throws(JSONError) {
      try limits.check(bytes)
    } catch {
      throw Unreadable(description: error.description)
    }
    let data = Data(bytes)
    do {
      let kind = try JSONDecoder().decode(Kind.self, from: data).schema
      guard kind == schema else { throw Unreadable(description: "it is '\(kind.excerpt)', not '\(schema)'") }
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
      case .keyNotFound(let key, let context): (context, "the key '\(key.stringValue.excerpt)' is missing")
      case .typeMismatch(_, let context), .valueNotFound(_, let context): (context, "a value has the wrong type")
      case .dataCorrupted(let context):
        (context, context.codingPath.isEmpty ? "it is no JSON" : context.debugDescription)
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
      }
    let path = context.codingPath.reduce("") { path, key in
      if let index = key.intValue { return "\(path)[\(index)]" }
      return path.isEmpty ? key.stringValue.excerpt : "\(path).\(key.stringValue.excerpt)"
    }
    description = path.isEmpty ? problem : "\(path): \(problem)"
  }
}
