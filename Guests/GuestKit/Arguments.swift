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

  private func matches(_ text: UnsafePointer<UInt8>, _ word: StaticString) -> Bool {
    for index in 0..<word.utf8CodeUnitCount where text[index] != word.utf8Start[index] { return false }
    return true
  }
}

/// The words that this guest was given.
public let arguments = Arguments()
