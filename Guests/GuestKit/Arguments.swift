import GuestContract

/// What the person who runs the guest gave it with `--append`.
public struct Arguments: Sendable {
  /// Whether `word` is among them.
  public func contains(_ word: StaticString) -> Bool {
    let length = Int(min(bootPage.pointee.argumentLength, UInt64(LAPWING_ARGUMENT_LIMIT)))
    let text = UnsafeRawPointer(bootPage).advanced(by: Int(LAPWING_BOOT_ARGUMENTS)).assumingMemoryBound(to: UInt8.self)
    var start = 0
    for end in 0...length where end == length || text[end] == UInt8(ascii: " ") {
      if end - start == word.utf8CodeUnitCount, matches(text + start, word) { return true }
      start = end + 1
    }
    return false
  }

  /// The decimal number behind `name`, which ends in an equals sign; nil where it is not among the words. What no UInt32
  /// holds is its largest value.
  public func number(_ name: StaticString) -> UInt32? {
    let length = Int(min(bootPage.pointee.argumentLength, UInt64(LAPWING_ARGUMENT_LIMIT)))
    let text = UnsafeRawPointer(bootPage).advanced(by: Int(LAPWING_BOOT_ARGUMENTS)).assumingMemoryBound(to: UInt8.self)
    var start = 0
    for end in 0...length where end == length || text[end] == UInt8(ascii: " ") {
      let first = start + name.utf8CodeUnitCount
      if first < end, matches(text + start, name) {
        var value: UInt64 = 0
        for index in first..<end {
          let digit = UInt64(text[index] &- UInt8(ascii: "0"))
          guard digit < 10 else { return nil }
          value = min(value * 10 + digit, UInt64(UInt32.max))
        }
        return UInt32(value)
      }
      start = end + 1
    }
    return nil
  }

  private func matches(_ text: UnsafePointer<UInt8>, _ word: StaticString) -> Bool {
    for index in 0..<word.utf8CodeUnitCount where text[index] != word.utf8Start[index] { return false }
    return true
  }
}

/// The words that this guest was given.
public let arguments = Arguments()
