import CKVM

/// The size of an x86 page in bytes, which memory slots are made of.
public let guestPageSize = 4096

extension Mapping {
  /// The pages that were touched since the memory was mapped or discarded; the others read as zero and need not be looked
  /// at, which would touch them.
  ///
  /// - Returns: ranges of page numbers, in order; all pages where the host does not tell (it has no /proc).
  public func touchedPages() -> [Range<Int>] {
    let pages = size / guestPageSize
    var touched = [UInt8](repeating: 0, count: pages)
    // Sound: the shim writes one byte a page, which the array has, and only looks the mapping's addresses up.
    guard unsafe ckvm_touched_pages(base, pages, &touched) == 0 else { return pages > 0 ? [0..<pages] : [] }
    var ranges: [Range<Int>] = []
    var start: Int?
    for (page, isTouched) in touched.enumerated() {
      if isTouched != 0 {
        start = start ?? page
      } else if let first = start {
        ranges.append(first..<page)
        start = nil
      }
    }
    if let first = start { ranges.append(first..<pages) }
    return ranges
  }

  /// Whether a range holds zeros only.
  ///
  /// - Parameters:
  ///   - offset: in bytes.
  ///   - count: in bytes, a multiple of 8.
  /// - Throws: `MemoryError` when the range is not inside the mapping.
  public func isZero(at offset: Int, count: Int) throws(MemoryError) -> Bool {
    // Sound: the range was checked to be inside the mapping.
    unsafe ckvm_is_zero(try address(offset, count), count)
  }
}

extension Mapping {
  /// Copies bytes of another mapping, which its guest may change meanwhile.
  ///
  /// - Parameters:
  ///   - source: where from.
  ///   - offset: where there, in bytes.
  ///   - count: how many bytes.
  ///   - place: where to, in bytes.
  /// - Throws: `MemoryError` when either range is not inside its mapping.
  public func copy(
    from source: borrowing Mapping, at offset: Int, count: Int, to place: Int
  ) throws(MemoryError) {
    // Sound: both ranges were checked to be inside their mappings, which are not one another.
    unsafe try address(place, count).copyMemory(from: source.address(offset, count), byteCount: count)
  }
}
