/// The names that a tracepoint's `print fmt` gives to values: one `__print_symbolic(EXPRESSION, { VALUE, "NAME" }, ...)`.
struct PrintedNames: Hashable, Sendable {
  /// The names by value, as the kernel's 64 bits of it.
  let names: [UInt64: String]

  private static let opening = "__print_symbolic("

  /// The tables in the text of a `print fmt`, in their order.
  static func all(in format: some StringProtocol) -> [PrintedNames] {
    var tables: [PrintedNames] = []
    var rest = Array(format.utf8)[...]
    let opening = Array(Self.opening.utf8)
    while let place = rest.firstIndex(of: opening) {
      rest = rest[(place + opening.count)...]
      tables.append(PrintedNames(takingFrom: &rest))
    }
    return tables
  }

  /// Reads entries up to the closing bracket.
  private init(takingFrom rest: inout ArraySlice<UInt8>) {
    var names: [UInt64: String] = [:]
    // Brackets of the expression before the entries, such as (REC->dm >> 8 & 0x7), are in pairs.
    var depth = 1
    while depth > 0, let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "{"):
        let value = rest.take(upTo: UInt8(ascii: ","))
        _ = rest.take(upTo: UInt8(ascii: "\""))
        let name = rest.take(upTo: UInt8(ascii: "\""))
        _ = rest.take(upTo: UInt8(ascii: "}"))
        if let value = Self.sum(value) { names[value] = String(decoding: name, as: UTF8.self) }
      default: break
      }
    }
    self.names = names
  }

  /// The value of `0x040 + 1`, `-1` or `12`; nil for anything else.
  private static func sum(_ text: ArraySlice<UInt8>) -> UInt64? {
    var sum: UInt64 = 0
    for part in text.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false) {
      let word = String(decoding: part.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
      if word.hasPrefix("0x"), let value = UInt64(word.dropFirst(2), radix: 16) {
        sum &+= value
      } else if let value = Int64(word) {
        sum &+= UInt64(bitPattern: value)
      } else {
        return nil
      }
    }
    return sum
  }
}

extension ArraySlice<UInt8> {
  /// Where a text is first.
  fileprivate func firstIndex(of text: [UInt8]) -> Int? {
    guard count >= text.count, let first = text.first else { return nil }
    return (startIndex...(endIndex - text.count)).first { place in
      self[place] == first && self[place..<(place + text.count)].elementsEqual(text)
    }
  }

  /// Takes all up to a byte off, and the byte.
  fileprivate mutating func take(upTo byte: UInt8) -> ArraySlice {
    let end = firstIndex(where: { $0 == byte }) ?? endIndex
    defer { self = self[Swift.min(end + 1, endIndex)...] }
    return self[startIndex..<end]
  }
}
