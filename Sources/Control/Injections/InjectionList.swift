import Support

/// The injections of a run, in the order in which they were written.
public enum InjectionList {
  /// How many a run may have. Each may be repeated.
  public static let limit = 1000
  /// The size of a file of them, in bytes.
  public static let sizeLimit = 1 << 20

  /// The injections of a file: one a line, empty lines and those that begin with `#` left out.
  ///
  /// - Parameters:
  ///   - bytes: the file's, in UTF-8.
  ///   - vcpus: how many vCPUs the machine has.
  /// - Throws: `StimulusError` with the line's number.
  public static func parse(_ bytes: [UInt8], vcpus: Int) throws(StimulusError) -> [Injection] {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw StimulusError("it is no text in UTF-8") }
    var injections: [Injection] = []
    // A line that ends in CR and LF is one Character.
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = line.trimmed
      guard !line.isEmpty, line.first != "#" else { continue }
      do throws(StimulusError) {
        let injection = try Injection(written: String(line))
        try injection.stimulus.validate(vcpus: vcpus)
        injections.append(injection)
        try check(injections)
      } catch {
        throw StimulusError("line \(index + 1): \(error)")
      }
    }
    return injections
  }

  /// Checks that there are not too many.
  ///
  /// - Throws: `StimulusError` with the limit.
  public static func check(_ injections: [Injection]) throws(StimulusError) {
    guard injections.count <= limit else { throw StimulusError("a run has at most \(limit) injections") }
    guard injections.reduce(0, { $0 + $1.count }) <= Injection.countLimit else {
      throw StimulusError("a run has at most \(Injection.countLimit) injections, repetitions included")
    }
  }
}
