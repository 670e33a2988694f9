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
