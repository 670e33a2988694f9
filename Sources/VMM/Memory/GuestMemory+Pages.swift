import KVM

extension GuestMemory {
  /// The size of a page in bytes.
  public static let pageSize: UInt64 = UInt64(guestPageSize)

  /// The longest run that `forEachRun` hands out, in bytes.
  public static let runLimit = 1 << 20

  /// Hands out the pages that are not all zero, in runs of neighbours in the order of their addresses. Pages that nobody
  /// has touched are not looked at.
  ///
  /// - Parameter body: gets the run's guest-physical address and its bytes, at most `runLimit`.
  public func forEachRun<Failure: Error>(
    _ body: (_ address: UInt64, _ bytes: [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    for bank in banks {
      for range in bank.region.mapping.touchedPages() {
        var page = range.lowerBound
        while page < range.upperBound {
          let start = page
          while page < range.upperBound, (page - start + 1) * guestPageSize <= Self.runLimit, !isZero(page, bank) {
            page += 1
          }
          if page > start, let bytes = bytes(start..<page, bank) {
            try body(bank.address + UInt64(start * guestPageSize), bytes)
          }
          // The page that ended the run, unless it was the run's length that did.
          while page < range.upperBound, isZero(page, bank) { page += 1 }
        }
      }
    }
  }

  // Both are asked about pages of the bank only, so neither fails.
  private func isZero(_ page: Int, _ bank: Bank) -> Bool {
    (try? bank.region.mapping.isZero(at: page * guestPageSize, count: guestPageSize)) ?? true
  }

  private func bytes(_ pages: Range<Int>, _ bank: Bank) -> [UInt8]? {
    try? bank.region.mapping.read(at: pages.lowerBound * guestPageSize, count: pages.count * guestPageSize)
  }
}

extension GuestMemory {
  /// Whether a range of guest-physical addresses is all RAM of a machine with so much memory.
  public static func holds(_ address: UInt64, _ count: UInt64, ofSize size: UInt64) -> Bool {
    let low = min(size, lowLimit)
    let banks: [(start: UInt64, size: UInt64)] = [(0, low), (highStart, size - low)]
    return banks.contains {
      address >= $0.start && address - $0.start <= $0.size && count <= $0.size - (address - $0.start)
    }
  }
}
