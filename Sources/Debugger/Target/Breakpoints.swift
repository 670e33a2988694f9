public import KVM
public import VMM

/// The INT3 instructions that gdb has had written into guest memory, and the bytes that were there.
///
/// Where an address leads is found out once, when a breakpoint is set: the byte is put back into the same memory, whatever
/// the page tables say then.
public struct SoftwareBreakpoints: Sendable {
  /// INT3 (SDM volume 2A, INT n/INTO/INT3/INT1).
  static let instruction: UInt8 = 0xcc

  private struct Patch: Sendable {
    var physical: UInt64
    var original: UInt8
  }

  /// By linear address.
  private var patches: [UInt64: Patch] = [:]

  /// None.
  public init() {}

  /// The linear addresses that have one.
  public var addresses: Set<UInt64> { Set(patches.keys) }

  /// Whether there is none.
  public var isEmpty: Bool { patches.isEmpty }

  /// Writes one; nothing where there is one already.
  ///
  /// - Parameters:
  ///   - address: the linear address.
  ///   - physical: where it leads.
  ///   - memory: the guest's.
  /// - Throws: `GuestMemoryError` where that is no RAM.
  public mutating func insert(
    at address: UInt64, physical: UInt64, in memory: GuestMemory
  ) throws(GuestMemoryError) {
    guard patches[address] == nil else { return }
    // Two linear addresses may lead to one byte, which has the first one's INT3 then.
    let original: UInt8
    if let earlier = patches.values.first(where: { $0.physical == physical }) {
      original = earlier.original
    } else {
      original = try memory.load(UInt8.self, at: physical)
    }
    try memory.store(Self.instruction, at: physical)
    patches[address] = Patch(physical: physical, original: original)
  }

  /// Takes one away; says whether it was there. What the guest has written over it stays.
  public mutating func remove(at address: UInt64, in memory: GuestMemory) -> Bool {
    guard let patch = patches.removeValue(forKey: address) else { return false }
    let isShared = patches.values.contains { $0.physical == patch.physical }
    if !isShared, (try? memory.load(UInt8.self, at: patch.physical)) == Self.instruction {
      // It could be read, so it can be written.
      try? memory.store(patch.original, at: patch.physical)
    }
    return true
  }

  /// Takes all of them away.
  public mutating func removeAll(in memory: GuestMemory) {
    for address in addresses { _ = remove(at: address, in: memory) }
  }

  /// Puts into bytes that were read what the guest would have there.
  ///
  /// - Parameters:
  ///   - bytes: what was read.
  ///   - physical: where it begins.
  public func hide(in bytes: inout [UInt8], at physical: UInt64) {
    for patch in patches.values where patch.physical >= physical && patch.physical - physical < UInt64(bytes.count) {
      let index = Int(patch.physical - physical)
      if bytes[index] == Self.instruction { bytes[index] = patch.original }
    }
  }

  /// Keeps the INT3 where bytes are about to be written, which come back when it is taken away.
  ///
  /// - Parameters:
  ///   - bytes: what is to be written.
  ///   - physical: where it begins.
  public mutating func keep(in bytes: inout [UInt8], at physical: UInt64) {
    let written = bytes
    for (address, patch) in patches
    where patch.physical >= physical && patch.physical - physical < UInt64(bytes.count) {
      let index = Int(patch.physical - physical)
      patches[address]?.original = written[index]
      bytes[index] = Self.instruction
    }
  }
}

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
