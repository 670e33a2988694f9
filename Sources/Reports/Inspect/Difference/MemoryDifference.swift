public import MachineState
import VMM

extension DifferenceReport.MemoryDifference {
  private static let pageSize = 4096
  private static let runLimit = 100

  /// How two images differ, page by page; a page that an image does not have is all 0.
  public init(_ before: MemoryImage, _ after: MemoryImage) {
    self.init(pages: 0, runs: [])
    var left = Pages(before)
    var right = Pages(after)
    while let address = [left.address, right.address].compactMap({ $0 }).min() {
      let (old, new) = (left.take(address), right.take(address))
      let differs =
        switch (old, new) {
        case (let old?, let new?): old != new
        case (let only?, nil), (nil, let only?): only.contains { $0 != 0 }
        case (nil, nil): false
        }
      if differs { add(address) }
    }
  }

  private mutating func add(_ address: UInt64) {
    pages += 1
    if let last = runs.last, last.address &+ last.pages &* UInt64(Self.pageSize) == address {
      runs[runs.count - 1].pages += 1
    } else if runs.count < Self.runLimit {
      runs.append(Run(address: address, pages: 1))
    }
  }

  /// Goes through the pages of an image in the order of their addresses.
  private struct Pages {
    private let runs: [MemoryImage.Run]
    private var run = 0
    private var offset = 0

    init(_ image: MemoryImage) {
      runs = image.runs
      skipEnd()
    }

    /// Where the next page is; nil after the last one.
    var address: UInt64? { run < runs.count ? runs[run].address &+ UInt64(offset) : nil }

    /// The next page if it is at that address.
    mutating func take(_ wanted: UInt64) -> ArraySlice<UInt8>? {
      guard address == wanted else { return nil }
      let page = runs[run].bytes[offset..<offset + pageSize]
      offset += pageSize
      skipEnd()
      return page
    }

    /// Goes to the next run once there is no whole page left in this one.
    private mutating func skipEnd() {
      while run < runs.count, runs[run].bytes.count - offset < pageSize {
        run += 1
        offset = 0
      }
    }
  }
}

extension MemoryImage {
  /// 32 bits of guest memory.
  ///
  /// - Parameter address: a guest-physical address.
  /// - Returns: the bits, 0 in a page that the image does not have; nil for an address that is outside of memory.
  public func word(at address: UInt64) -> UInt32? {
    guard address <= .max - 3 else { return nil }
    var word: UInt32 = 0
    for index in 0..<4 as Range<UInt64> {
      guard let byte = byte(at: address + index) else { return nil }
      word |= UInt32(byte) << UInt32(8 * index)
    }
    return word
  }

  private func byte(at address: UInt64) -> UInt8? {
    for run in runs where address >= run.address && address - run.address < UInt64(run.bytes.count) {
      return run.bytes[Int(address - run.address)]
    }
    return GuestMemory.holds(address, 1, ofSize: size) ? 0 : nil
  }
}
