import APIC

/// The MSI-X table of a PCI function with its pending bits, as a value (PCI Local Bus Specification 3.0, section 6.8.2).
///
/// Nothing is sent here: what is to be sent is said.
struct MSIXTable: Hashable, Sendable {
  /// As many vectors as one word of the pending bit array has.
  static let limit = 64
  /// The size of an entry in bytes.
  static let entrySize: UInt64 = 16

  /// One vector: its message, and whether it is masked.
  struct Entry: Hashable, Sendable {
    /// Where the message is written.
    var address: UInt64 = 0
    /// What is written there.
    var data: UInt32 = 0
    /// Bit 0 of the vector control, set after reset; all others are reserved.
    var isMasked = true

    /// The message; nil where it goes to no local APIC, which this machine leaves out.
    var message: MSIMessage? {
      let message = MSIMessage(address: address, data: data)
      return message.isInterrupt ? message : nil
    }
  }

  /// Message control, bit 15: the function uses MSI-X, and no line.
  private(set) var isEnabled = false
  /// Message control, bit 14: all vectors are masked, whatever their own bits say.
  private(set) var isMasked = false
  /// Both bits, where they are in message control.
  var control: UInt32 { (isEnabled ? 1 << 15 : 0) | (isMasked ? 1 << 14 : 0) }
  /// The vectors.
  private(set) var entries: [Entry]
  /// A bit for each vector that was raised while it was masked.
  private(set) var pending: UInt64 = 0

  /// A table as it is after reset.
  ///
  /// - Parameter count: how many vectors, 1 to 64.
  init(count: Int) { entries = [Entry](repeating: Entry(), count: max(1, min(count, Self.limit))) }

  /// Whether a vector that is raised now is sent.
  func sends(_ vector: Int) -> Bool { isEnabled && !isMasked && !entries[vector].isMasked }

  /// Raises a vector; one that there is not is nobody's.
  ///
  /// - Returns: whether its message is to be sent now. If not, and the function uses MSI-X, it is pending.
  mutating func raise(_ vector: Int) -> Bool {
    guard isEnabled, entries.indices.contains(vector) else { return false }
    guard !sends(vector) else { return true }
    pending |= 1 << UInt64(vector)
    return false
  }

  /// Forgets what is pending: a device that is reset sends nothing more.
  mutating func clearPending() { pending = 0 }

  /// The message control's upper two bits.
  ///
  /// - Returns: the vectors that were pending and are to be sent now.
  mutating func setControl(isEnabled: Bool, isMasked: Bool) -> [Int] {
    (self.isEnabled, self.isMasked) = (isEnabled, isMasked)
    return takeReleased()
  }

  /// Reads 4 or 8 bytes of the table; others read as 0.
  func read(at offset: UInt64, width: Int) -> UInt64 {
    guard isAligned(offset, width) else { return 0 }
    let low = UInt64(word(at: offset))
    return width == 8 ? low | UInt64(word(at: offset + 4)) << 32 : low
  }

  /// Writes 4 or 8 bytes of the table; other writes are none.
  ///
  /// - Returns: the vectors that were pending and are to be sent now.
  mutating func write(_ value: UInt64, at offset: UInt64, width: Int) -> [Int] {
    guard isAligned(offset, width) else { return [] }
    setWord(UInt32(truncatingIfNeeded: value), at: offset)
    if width == 8 { setWord(UInt32(truncatingIfNeeded: value >> 32), at: offset + 4) }
    return takeReleased()
  }

  private func isAligned(_ offset: UInt64, _ width: Int) -> Bool {
    (width == 4 || width == 8) && offset.isMultiple(of: UInt64(width))
      && offset < UInt64(entries.count) * Self.entrySize
  }

  private func word(at offset: UInt64) -> UInt32 {
    let entry = entries[Int(offset / Self.entrySize)]
    return switch offset % Self.entrySize {
    case 0: UInt32(truncatingIfNeeded: entry.address)
    case 4: UInt32(truncatingIfNeeded: entry.address >> 32)
    case 8: entry.data
    default: entry.isMasked ? 1 : 0
    }
  }

  private mutating func setWord(_ value: UInt32, at offset: UInt64) {
    let index = Int(offset / Self.entrySize)
    switch offset % Self.entrySize {
    // The two lowest bits of an address are always 0.
    case 0: entries[index].address = entries[index].address & ~0xffff_ffff | UInt64(value & ~3)
    case 4: entries[index].address = UInt64(value) << 32 | entries[index].address & 0xffff_ffff
    case 8: entries[index].data = value
    default: entries[index].isMasked = value & 1 != 0
    }
  }

  private mutating func takeReleased() -> [Int] {
    guard pending != 0 else { return [] }
    let released = entries.indices.filter { pending >> UInt64($0) & 1 != 0 && sends($0) }
    for vector in released { pending &= ~(1 << UInt64(vector)) }
    return released
  }
}

extension MSIXTable {
  /// The table as a list of numbers: message control, pending bits, and three words a vector.
  var values: [UInt64] {
    [UInt64(control >> 14), pending]
      + entries.flatMap { [$0.address, UInt64($0.data), $0.isMasked ? 1 : 0] }
  }

  /// The table of such a list; nil for one that no table of so many vectors has.
  init?(values: [UInt64], count: Int) {
    self.init(count: count)
    guard values.count == 2 + 3 * entries.count, values[0] <= 3,
      entries.count == Self.limit || values[1] >> UInt64(entries.count) == 0
    else { return nil }
    isEnabled = values[0] & 2 != 0
    isMasked = values[0] & 1 != 0
    pending = values[1]
    for index in entries.indices {
      let words = values[(2 + 3 * index)..<(5 + 3 * index)].map(\.self)
      guard words[0] & 3 == 0, words[1] <= UInt64(UInt32.max), words[2] <= 1 else { return nil }
      entries[index] = Entry(
        address: words[0], data: UInt32(truncatingIfNeeded: words[1]), isMasked: words[2] == 1)
    }
  }
}
