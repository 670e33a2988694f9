public import KVM

/// The breakpoints in DR0 to DR3 (SDM volume 3B, section 18.2).
public struct HardwareBreakpoints: Hashable, Sendable {
  /// What a debug register stops at; the values are those of DR7's R/W field.
  public enum Access: UInt64, Hashable, Sendable {
    /// Execution.
    case execute = 0
    /// Writes.
    case write = 1
    /// Reads and writes.
    case readWrite = 3
  }

  /// One debug register.
  public struct Slot: Hashable, Sendable {
    /// The linear address, a multiple of the size.
    public var address: UInt64
    /// 1, 2, 4 or 8 bytes.
    public var size: UInt64
    /// What it stops at.
    public var access: Access
    /// The address that gdb gave, of whose range this is a part.
    public var request: UInt64
  }

  /// DR0 to DR3; nil for one that is free.
  public private(set) var slots: [Slot?] = [nil, nil, nil, nil]

  /// None.
  public init() {}

  /// Whether there is none.
  public var isEmpty: Bool { slots.allSatisfy { $0 == nil } }

  /// Adds one.
  ///
  /// - Parameters:
  ///   - access: what it stops at.
  ///   - address: the first byte's linear address, which need not be aligned.
  ///   - size: how many bytes; for execution this does not matter.
  /// - Returns: whether there are debug registers left for it. Nothing has changed where there are not, and where it is
  ///   there already.
  public mutating func insert(_ access: Access, at address: UInt64, size: UInt64) -> Bool {
    guard !slots.contains(where: { $0?.request == address && $0?.access == access }) else { return true }
    guard
      let parts = access == .execute ? [(address: address, size: 1 as UInt64)] : Self.aligned(address, size),
      parts.count <= slots.count(where: { $0 == nil })
    else { return false }
    for part in parts {
      guard let free = slots.firstIndex(where: { $0 == nil }) else { return false }
      slots[free] = Slot(address: part.address, size: part.size, access: access, request: address)
    }
    return true
  }

  /// Takes one away; says whether it was there.
  public mutating func remove(_ access: Access, at address: UInt64) -> Bool {
    var wasThere = false
    for index in slots.indices where slots[index]?.request == address && slots[index]?.access == access {
      slots[index] = nil
      wasThere = true
    }
    return wasThere
  }

  /// Whether there is one for execution at that address.
  public func stopsExecution(at address: UInt64) -> Bool {
    slots.contains { $0?.access == .execute && $0?.address == address }
  }

  /// The one that a stop is about: a watchpoint before a breakpoint, as it is told after the access.
  ///
  /// - Parameter hits: the low bits of DR6.
  public func slot(hits: UInt8) -> Slot? {
    let hit = slots.enumerated().compactMap { hits >> UInt8($0.offset) & 1 == 1 ? $0.element : nil }
    return hit.first { $0.access != .execute } ?? hit.first
  }

  /// DR0 to DR3 and DR7.
  public var registers: DebugRegisters {
    var registers = DebugRegisters()
    let addresses = slots.map { $0?.address ?? 0 }
    (registers.dr0, registers.dr1, registers.dr2, registers.dr3) = (
      addresses[0], addresses[1], addresses[2], addresses[3]
    )
    // Bit 10 is always 1; GE asks for exact data breakpoints, which processors since P6 have anyway.
    registers.dr7 = 1 << 10 | 1 << 9
    for (index, slot) in slots.enumerated() {
      guard let slot else { continue }
      registers.dr7 |= 2 << UInt64(2 * index)
      registers.dr7 |= (slot.access.rawValue | Self.length(slot.size) << 2) << UInt64(16 + 4 * index)
    }
    return registers
  }

  /// DR7's LEN field.
  private static func length(_ size: UInt64) -> UInt64 {
    switch size {
    case 2: 1
    case 4: 3
    case 8: 2
    default: 0
    }
  }

  /// A range in as few aligned pieces of 1, 2, 4 or 8 bytes as cover it; nil where 4 do not.
  private static func aligned(_ address: UInt64, _ size: UInt64) -> [(address: UInt64, size: UInt64)]? {
    guard size > 0, size <= 32, !address.addingReportingOverflow(size).overflow else { return nil }
    var parts: [(address: UInt64, size: UInt64)] = []
    var next = address
    while next < address + size {
      let left = address + size - next
      let piece = [8, 4, 2, 1].first { next.isMultiple(of: $0) && $0 <= left } ?? 1
      parts.append((next, piece))
      next += piece
    }
    return parts.count <= 4 ? parts : nil
  }
}
