import APIC
public import KVM

/// A guest's RAM, by guest-physical address. Every access is checked; no pointer leaves it.
///
/// Up to 3 GiB lie from address 0; the rest lies from 4 GiB, above the addresses of the interrupt controllers.
public final class GuestMemory: Sendable {
  /// Where low memory ends at the latest.
  public static let lowLimit: UInt64 = 3 << 30
  /// Where high memory begins.
  public static let highStart: UInt64 = 4 << 30

  /// A stretch of RAM.
  struct Bank: Sendable {
    let address: UInt64
    let region: GuestRegion
    var size: UInt64 { UInt64(region.size) }
  }

  let banks: [Bank]
  /// The size of all of it, in bytes.
  public let size: UInt64
  /// The size of what lies from address 0, in bytes.
  public var lowSize: UInt64 { banks.first?.size ?? 0 }

  /// Memory that reads as zero and costs the host nothing until it is touched.
  ///
  /// - Parameter size: in bytes, a multiple of 4096, above 0.
  /// - Throws: `KVMError` where the host has no address space for it.
  public init(size: UInt64) throws(KVMError) {
    self.size = size
    let low = min(size, Self.lowLimit)
    var banks = [Bank(address: 0, region: try GuestRegion(size: Int(low)))]
    if size > low { banks.append(Bank(address: Self.highStart, region: try GuestRegion(size: Int(size - low)))) }
    self.banks = banks
  }

  /// Makes all of it visible to a guest, one slot a bank.
  func attach(to vm: VirtualMachine) throws(KVMError) {
    for (slot, bank) in banks.enumerated() {
      try vm.setMemoryRegion(slot: UInt32(slot), guestAddress: bank.address, region: bank.region)
    }
  }

  /// Copies `count` bytes out.
  ///
  /// - Throws: `GuestMemoryError` where they are not all RAM; nothing is allocated then.
  public func read(_ count: Int, at address: UInt64) throws(GuestMemoryError) -> [UInt8] {
    try access(address, UInt64(count)) { mapping, offset throws(MemoryError) in
      try mapping.read(at: offset, count: count)
    }
  }

  /// Copies as many bytes out as `bytes` has.
  func read(into bytes: inout MutableSpan<UInt8>, at address: UInt64) throws(GuestMemoryError) {
    let count = UInt64(bytes.count)
    try access(address, count) { mapping, offset throws(MemoryError) in try mapping.read(into: &bytes, at: offset) }
  }

  /// Copies bytes in.
  ///
  /// - Throws: `GuestMemoryError` where not all of them land in RAM; nothing is written then.
  public func write(_ bytes: [UInt8], at address: UInt64) throws(GuestMemoryError) {
    try write(bytes.span, at: address)
  }

  /// Copies bytes in.
  ///
  /// - Throws: `GuestMemoryError` where not all of them land in RAM; nothing is written then.
  public func write(_ bytes: Span<UInt8>, at address: UInt64) throws(GuestMemoryError) {
    try access(address, UInt64(bytes.count)) { mapping, offset throws(MemoryError) in
      // Sound: bytes have no padding that could be uninitialized.
      try mapping.copy(from: unsafe bytes.bytes, at: offset)
    }
  }

  /// Reads an integer in one access, as the guest may be writing it.
  ///
  /// - Parameters:
  ///   - type: the integer's type.
  ///   - address: a multiple of the integer's size.
  /// - Throws: `GuestMemoryError` outside of RAM or for a misaligned address.
  public func load<T: FixedWidthInteger>(_ type: T.Type, at address: UInt64) throws(GuestMemoryError) -> T {
    try access(address, UInt64(MemoryLayout<T>.size)) { mapping, offset throws(MemoryError) in
      try mapping.load(at: offset, as: type)
    }
  }

  /// Writes an integer in one access, as the guest may be reading it.
  ///
  /// - Parameters:
  ///   - value: what is written.
  ///   - address: a multiple of the integer's size.
  /// - Throws: `GuestMemoryError` outside of RAM or for a misaligned address.
  public func store<T: FixedWidthInteger>(_ value: T, at address: UInt64) throws(GuestMemoryError) {
    try access(address, UInt64(MemoryLayout<T>.size)) { mapping, offset throws(MemoryError) in
      try mapping.store(value, at: offset)
    }
  }

  /// Finds the bank that holds all of a range and turns what goes wrong there into the guest's own addresses.
  private func access<Result>(
    _ address: UInt64, _ size: UInt64, _ body: (borrowing Mapping, Int) throws(MemoryError) -> Result
  ) throws(GuestMemoryError) -> Result {
    for bank in banks {
      guard address >= bank.address, address - bank.address <= bank.size,
        size <= bank.size - (address - bank.address)
      else { continue }
      do throws(MemoryError) {
        return try body(bank.region.mapping, Int(address - bank.address))
      } catch {
        break
      }
    }
    throw GuestMemoryError(address: address, size: size)
  }
}

extension GuestMemory {
  /// Copies a structure of plain bytes out, which the guest may change meanwhile.
  ///
  /// - Throws: `GuestMemoryError` where it is not all in RAM.
  func loadStructure<T: BitwiseCopyable>(_ type: T.Type, at address: UInt64) throws(GuestMemoryError) -> T {
    // On the stack: guests wait for what is read here.
    try unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment) {
      buffer throws(GuestMemoryError) in
      unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
      // Sound: all bytes are initialized, and nobody else has the buffer.
      var bytes = unsafe MutableSpan<UInt8>(_unsafeBytes: buffer)
      try read(into: &bytes, at: address)
      // Sound: `T` is a structure of the contract, a C structure of integers, for which any bytes are a value.
      return unsafe buffer.load(as: type)
    }
  }

  /// Copies a structure of plain bytes in.
  ///
  /// - Throws: `GuestMemoryError` where it does not all land in RAM.
  func storeStructure<T: BitwiseCopyable>(_ value: T, at address: UInt64) throws(GuestMemoryError) {
    var value = value
    // Sound: the bytes of a C structure of integers, its padding included, are initialized by Swift's importer.
    let bytes = unsafe withUnsafeBytes(of: &value) { unsafe [UInt8]($0) }
    try write(bytes, at: address)
  }
}

/// An access to guest-physical addresses that are not guest memory.
public struct GuestMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first address of the access.
  public var address: UInt64
  /// Its length in bytes.
  public var size: UInt64

  /// The access, for a person.
  public var description: String { "\(size) bytes at \(hex(address)) are not all guest memory" }
}
