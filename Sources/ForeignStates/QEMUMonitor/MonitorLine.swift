import Support

/// A line of the monitor's text, without blanks at its ends.
struct MonitorLine {
  let text: String
  private let words: [Substring]

  init(_ bytes: ArraySlice<UInt8>) {
    text = String(Substring(decoding: bytes, as: UTF8.self).trimmed)
    words = text.split { $0 == " " || $0 == "\t" || $0 == "," }
  }

  /// Whether a line may be one of the monitor's: it begins with a letter that one of those does, and has their length.
  static func mayBegin(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard (4...1024).contains(bytes.count) else { return false }
    guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 }) else { return false }
    return "dCiLTSIEAPRpGFD".utf8.contains(first)
  }

  func expected(_ what: String) -> MonitorLineError { MonitorLineError(line: text, expected: what) }

  func hasPrefix(_ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

  /// The first word.
  var name: Substring { words.first ?? "" }

  /// The decimal number behind a beginning; nil for another line.
  func number(after prefix: String) throws(MonitorLineError) -> UInt64? {
    guard hasPrefix(prefix) else { return nil }
    let digits = text.dropFirst(prefix.count).drop { $0 == " " }.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits) else { throw expected("a number behind \(prefix)") }
    return number
  }

  /// A word as a hexadecimal number with or without 0x; nil where there is no such word.
  func word(_ index: Int) throws(MonitorLineError) -> UInt64? {
    guard index < words.count else { return nil }
    return try Self.hexadecimal(words[index]).orThrow(expected("a hexadecimal number"))
  }

  /// The number behind `name=`, blanks before it left out; nil where the line does not have it.
  func value(of name: String, isHexadecimal: Bool = false) throws(MonitorLineError) -> UInt64? {
    guard let place = place(behind: name) else { return nil }
    let digits = text[place...].drop { $0 == " " }.prefix { $0.isHexDigit || $0 == "x" }
    let isHexadecimal = isHexadecimal || digits.hasPrefix("0x")
    let number = isHexadecimal ? Self.hexadecimal(digits) : UInt64(digits)
    return try number.orThrow(expected("a number behind \(name)"))
  }

  /// The words behind `NAME=` of a segment or table, each a hexadecimal number, up to four of them.
  func fields(of name: String) throws(MonitorLineError) -> [UInt64]? {
    guard hasPrefix(name) else { return nil }
    let rest = text.dropFirst(name.count).drop { $0 == " " }
    guard rest.first == "=" else { return nil }
    var fields: [UInt64] = []
    for word in rest.dropFirst().split(separator: " ").prefix(4) {
      guard let number = Self.hexadecimal(word) else { break }
      fields.append(number)
    }
    return fields
  }

  /// The numbers behind the first word, each with whether `(level)` stands behind it; none for `(none)`.
  func numbers(below limit: UInt64) throws(MonitorLineError) -> [(number: UInt64, isLevel: Bool)] {
    var numbers: [(UInt64, Bool)] = []
    for word in words.dropFirst() where word != "(none)" {
      let digits = word.prefix { $0.isASCII && $0.isNumber }
      guard let number = UInt64(digits), number < limit, numbers.count < 256 else {
        throw expected("numbers below \(limit)")
      }
      numbers.append((number, word.hasSuffix("(level)")))
    }
    return numbers
  }

  /// Where the text behind a name begins that starts the line or follows a blank.
  private func place(behind name: String) -> String.Index? {
    var start = text.startIndex
    while let range = text[start...].firstRange(of: name) {
      if range.lowerBound == text.startIndex || " \t,[:(".contains(text[text.index(before: range.lowerBound)]) {
        return range.upperBound
      }
      start = range.upperBound
    }
    return nil
  }

  private static func hexadecimal(_ digits: some StringProtocol) -> UInt64? {
    UInt64(digits.hasPrefix("0x") ? String(digits.dropFirst(2)) : String(digits), radix: 16)
  }
}

/// A line that begins like one of the monitor's and goes on otherwise.
struct MonitorLineError: Error {
  var line: String
  var expected: String
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> MonitorLineError) throws(MonitorLineError) -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
