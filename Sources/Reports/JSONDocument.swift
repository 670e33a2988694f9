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
}
