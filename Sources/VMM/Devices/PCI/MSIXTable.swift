import APIC
import KVM
import Synchronization

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

/// Sends what an MSI-X table says: each vector has a GSI of its own, whose route is the vector's message, and an eventfd that
/// KVM turns into it (KVM_IRQFD), so that a completion costs one write.
///
/// A route is set, and an eventfd assigned, when its vector is first unmasked. A driver that moves a vector masks it, writes
/// the new message and unmasks it: then the route is replaced before anything is sent.
final class MSIXInterrupts: Sendable {
  private struct State {
    var table: MSIXTable
    /// What each vector's GSI is routed to.
    var routed: [MSIMessage?]
    var events: [EventDescriptor?]
  }

  private let interrupts: InterruptController
  private let firstGSI: UInt32
  private let state: Mutex<State>
  /// How many vectors there are.
  let count: Int

  /// - Parameters:
  ///   - count: how many vectors, 1 to 64.
  ///   - firstGSI: the first of as many GSIs, which are nobody else's.
  ///   - interrupts: where they enter the machine.
  init(count: Int, firstGSI: UInt32, interrupts: InterruptController) {
    self.count = count
    self.interrupts = interrupts
    self.firstGSI = firstGSI
    state = Mutex(
      State(
        table: MSIXTable(count: count), routed: [MSIMessage?](repeating: nil, count: count),
        events: [EventDescriptor?](repeating: nil, count: count)))
  }

  /// Whether the function uses MSI-X, and no line.
  var isEnabled: Bool { state.withLock { $0.table.isEnabled } }

  /// The table's state.
  var table: MSIXTable { state.withLock { $0.table } }

  /// Raises a vector; one that there is not is nobody's.
  func raise(_ vector: Int) {
    state.withLock { if $0.table.raise(vector) { send(vector, &$0) } }
  }

  /// Forgets what is pending.
  func clearPending() { state.withLock { $0.table.clearPending() } }

  /// Sets the message control's upper two bits.
  func setControl(isEnabled: Bool, isMasked: Bool) {
    change { $0.setControl(isEnabled: isEnabled, isMasked: isMasked) }
  }

  func read(at offset: UInt64, width: Int) -> UInt64 { state.withLock { $0.table.read(at: offset, width: width) } }

  func write(_ value: UInt64, at offset: UInt64, width: Int) {
    change { $0.write(value, at: offset, width: width) }
  }

  /// Gives a machine that is made again its table. What was sent is in its local APICs.
  func restore(_ table: MSIXTable) {
    change {
      $0 = table
      return []
    }
  }

  private func change(_ body: (inout MSIXTable) -> [Int]) {
    state.withLock { state in
      let released = body(&state.table)
      for vector in 0..<count where state.table.sends(vector) { route(vector, &state) }
      for vector in released { send(vector, &state) }
    }
  }

  /// Routes a vector's GSI to its message, where that has changed. What KVM refuses, such as a destination of a kind that no
  /// local APIC has, is routed nowhere.
  private func route(_ vector: Int, _ state: inout State) {
    let message = state.table.entries[vector].message
    let gsi = firstGSI + UInt32(vector)
    if message != state.routed[vector] {
      let isTaken = (try? interrupts.routeDevice(gsi, to: message)) != nil
      if !isTaken { try? interrupts.routeDevice(gsi, to: nil) }
      state.routed[vector] = isTaken ? message : nil
    }
    if state.routed[vector] != nil, state.events[vector] == nil {
      state.events[vector] = try? interrupts.assignDeviceEvent(gsi)
    }
  }

  private func send(_ vector: Int, _ state: inout State) {
    guard let message = state.routed[vector] else { return }
    if let event = state.events[vector] {
      // KVM takes what is written at once, so the counter has room.
      try? event.write()
    } else {
      // The host has no descriptor left: the same by a call.
      _ = try? interrupts.signal(message)
    }
  }
}
