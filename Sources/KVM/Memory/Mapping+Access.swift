import CKVM

// Sound throughout: `address` has checked that the range lies inside the mapping, which `self` keeps alive.
extension Mapping {
  /// Reads an integer in one access, as a guest that writes it at the same time sees it.
  ///
  /// - Parameters:
  ///   - offset: in bytes, a multiple of the integer's size.
  ///   - type: an integer type of 1, 2, 4 or 8 bytes; the bytes are in the machine's order, least significant first.
  /// - Throws: `MemoryError` outside the mapping or for a misaligned offset.
  @inlinable
  public func load<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) throws(MemoryError) -> Value {
    Value(truncatingIfNeeded: try loadBits(at: offset, count: Value.bitWidth / 8))
  }

  /// Writes an integer in one access, as a guest that reads it at the same time sees it.
  ///
  /// - Parameters:
  ///   - value: an integer of 1, 2, 4 or 8 bytes.
  ///   - offset: in bytes, a multiple of the integer's size.
  /// - Throws: `MemoryError` outside the mapping or for a misaligned offset.
  @inlinable
  public func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) throws(MemoryError) {
    try storeBits(UInt64(truncatingIfNeeded: value), at: offset, count: Value.bitWidth / 8)
  }

  @usableFromInline
  func loadBits(at offset: Int, count: Int) throws(MemoryError) -> UInt64 {
    let address = unsafe try aligned(offset, count)
    return switch count {
    case 1: unsafe UInt64(ckvm_load8(address))
    case 2: unsafe UInt64(ckvm_load16(address))
    case 4: unsafe UInt64(ckvm_load32(address))
    default: unsafe ckvm_load64(address)
    }
  }

  @usableFromInline
  func storeBits(_ bits: UInt64, at offset: Int, count: Int) throws(MemoryError) {
    let address = unsafe try aligned(offset, count)
    switch count {
    case 1: unsafe ckvm_store8(address, UInt8(truncatingIfNeeded: bits))
    case 2: unsafe ckvm_store16(address, UInt16(truncatingIfNeeded: bits))
    case 4: unsafe ckvm_store32(address, UInt32(truncatingIfNeeded: bits))
    default: unsafe ckvm_store64(address, bits)
    }
  }

  private func aligned(_ offset: Int, _ count: Int) throws(MemoryError) -> UnsafeMutableRawPointer {
    // A mapping starts on a page, so an aligned offset is an aligned address.
    guard count <= 8, count.nonzeroBitCount == 1, offset & (count - 1) == 0 else {
      throw .misaligned(offset: offset, alignment: count)
    }
    return unsafe try address(offset, count)
  }
}

extension Mapping {
  /// Copies bytes into the mapping.
  ///
  /// - Parameters:
  ///   - bytes: what to copy.
  ///   - offset: where to, in bytes.
  /// - Throws: `MemoryError` when they do not all fit.
  public func copy(from bytes: RawSpan, at offset: Int) throws(MemoryError) {
    let target = unsafe try address(offset, bytes.byteCount)
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: source.count) }
    }
  }

  /// Copies bytes into the mapping.
  ///
  /// - Parameters:
  ///   - bytes: what to copy, such as an array's `span`.
  ///   - offset: where to, in bytes.
  /// - Throws: `MemoryError` when they do not all fit.
  public func copy(from bytes: Span<UInt8>, at offset: Int) throws(MemoryError) {
    // Sound: bytes have no padding to expose.
    try copy(from: unsafe bytes.bytes, at: offset)
  }

  /// Copies bytes out of the mapping into the whole of a span.
  ///
  /// - Parameters:
  ///   - bytes: what to fill.
  ///   - offset: where from, in bytes.
  /// - Throws: `MemoryError` when the mapping has not so many there.
  public func read(into bytes: inout MutableSpan<UInt8>, at offset: Int) throws(MemoryError) {
    let source = unsafe try address(offset, bytes.count)
    unsafe bytes.withUnsafeMutableBytes { target in
      if let start = target.baseAddress { unsafe start.copyMemory(from: source, byteCount: target.count) }
    }
  }

  /// Copies bytes out of the mapping.
  ///
  /// - Parameters:
  ///   - offset: where from, in bytes.
  ///   - count: how many; checked before anything is allocated.
  /// - Throws: `MemoryError` when the mapping has not so many there.
  public func read(at offset: Int, count: Int) throws(MemoryError) -> [UInt8] {
    let source = unsafe try address(offset, count)
    return unsafe [UInt8](UnsafeRawBufferPointer(start: source, count: count))
  }

  /// Sets bytes of the mapping to one value.
  ///
  /// - Throws: `MemoryError` when the range is not inside the mapping.
  public func fill(at offset: Int, count: Int, with value: UInt8) throws(MemoryError) {
    unsafe try address(offset, count).initializeMemory(as: UInt8.self, repeating: value, count: count)
  }

  /// Gives pages back to the host; anonymous memory reads as zero afterwards (madvise(2), MADV_DONTNEED).
  ///
  /// - Parameters:
  ///   - offset: in bytes, a multiple of the page size.
  ///   - count: in bytes, rounded up to whole pages.
  /// - Throws: `MemoryError` when the range is not inside the mapping or starts within a page.
  public func discard(at offset: Int, count: Int) throws(MemoryError) {
    let start = unsafe try address(offset, count)
    guard unsafe ckvm_discard(start, count) == 0 else { throw .misaligned(offset: offset, alignment: pageSize) }
  }
}

/// The size of an x86 page, in bytes, which memory slots are made of.
let pageSize = guestPageSize
