import KVM

extension GuestMemory {
  /// The size of a page in bytes.
  public static let pageSize: UInt64 = UInt64(guestPageSize)

  /// The longest run that `forEachRun` hands out, in bytes.
  public static let runLimit = 1 << 20

  /// Pages beside one another in one bank.
  struct PageRun {
    let bank: Bank
    let pages: Range<Int>
    var address: UInt64 { bank.address + UInt64(offset) }
    var offset: Int { pages.lowerBound * guestPageSize }
    var size: Int { pages.count * guestPageSize }
  }

  /// How many bytes were touched so far, in whole pages.
  var touchedBytes: Int {
    banks.reduce(0) { $0 + $1.region.mapping.touchedPages().reduce(0) { $0 + $1.count } * guestPageSize }
  }

  /// Hands out the pages that are not all zero, in runs of neighbours in the order of their addresses, none longer than
  /// `runLimit`. Pages that nobody has touched are not looked at.
  func forEachRun<Failure: Error>(_ body: (PageRun) throws(Failure) -> Void) throws(Failure) {
    for bank in banks {
      for range in bank.region.mapping.touchedPages() {
        var page = range.lowerBound
        while page < range.upperBound {
          let start = page
          while page < range.upperBound, (page - start + 1) * guestPageSize <= Self.runLimit, !isZero(page, bank) {
            page += 1
          }
          if page > start { try body(PageRun(bank: bank, pages: start..<page)) }
          // The page that ended the run, unless it was the run's length that did.
          while page < range.upperBound, isZero(page, bank) { page += 1 }
        }
      }
    }
  }

  // It is asked about pages of the bank only, so it does not fail.
  private func isZero(_ page: Int, _ bank: Bank) -> Bool {
    (try? bank.region.mapping.isZero(at: page * guestPageSize, count: guestPageSize)) ?? true
  }

  /// Whether a range of guest-physical addresses is all RAM of a machine with so much memory.
  public static func holds(_ address: UInt64, _ count: UInt64, ofSize size: UInt64) -> Bool {
    let low = min(size, lowLimit)
    let banks: [(start: UInt64, size: UInt64)] = [(0, low), (highStart, size - low)]
    return banks.contains {
      address >= $0.start && address - $0.start <= $0.size && count <= $0.size - (address - $0.start)
    }
  }
}

/// A copy of what a guest has in its memory, made in two steps so that the guest stands still for the second alone: room
/// is made first, and touched, since it is the host's page faults that take the time.
public final class GuestMemoryCopy {
  private struct Piece {
    let address: UInt64
    /// Where in the room; nil for bytes that found none.
    let offset: Int
    let size: Int
    let bytes: [UInt8]?
  }

  private let room: GuestRegion?
  private var used = 0
  private var pieces: [Piece] = []

  /// Makes room for what the guest has touched so far, and a little more.
  public init(roomFor memory: GuestMemory) {
    let touched = memory.touchedBytes
    // Where the host has no room, the bytes find theirs one run at a time.
    room = try? GuestRegion(size: touched + touched / 8 + GuestMemory.runLimit)
    if let room { try? room.mapping.fill(at: 0, count: room.size, with: 0) }
  }

  /// Copies the pages that are not all zero, while the guest stands still. Once.
  public func take(_ memory: GuestMemory) {
    memory.forEachRun { run in
      if let room, run.size <= room.size - used,
        (try? room.mapping.copy(from: run.bank.region.mapping, at: run.offset, count: run.size, to: used)) != nil
      {
        pieces.append(Piece(address: run.address, offset: used, size: run.size, bytes: nil))
        used += run.size
      } else if let bytes = try? run.bank.region.mapping.read(at: run.offset, count: run.size) {
        pieces.append(Piece(address: run.address, offset: 0, size: run.size, bytes: bytes))
      }
    }
  }

  /// Hands out what was copied, in the order of the addresses.
  ///
  /// - Parameter body: gets the guest-physical address of a page and bytes from there on, at most `GuestMemory.runLimit`.
  public func forEachRun(_ body: (_ address: UInt64, _ bytes: [UInt8]) -> Void) {
    for piece in pieces {
      if let bytes = piece.bytes ?? (try? room?.mapping.read(at: piece.offset, count: piece.size)) {
        body(piece.address, bytes)
      }
    }
  }
}
