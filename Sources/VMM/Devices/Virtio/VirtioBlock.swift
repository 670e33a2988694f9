import Support

/// virtio-blk: a disk that is a file of the host's (virtio 1.2, section 5.2). What the file refuses is an I/O error of the
/// guest's.
struct VirtioBlock: VirtioModel {
  private enum Feature {
    static let sizeMax: UInt64 = 1 << 1
    static let segmentMax: UInt64 = 1 << 2
    static let readOnly: UInt64 = 1 << 5
    static let flush: UInt64 = 1 << 9
  }

  private enum Kind {
    static let read: UInt32 = 0
    static let write: UInt32 = 1
    static let flush: UInt32 = 4
    static let identity: UInt32 = 8
  }

  /// What becomes of a request: its last byte.
  enum Status: UInt8 {
    case done = 0
    case failed = 1
    case unsupported = 2
  }

  private static let queueLimit: UInt16 = 128
  private static let headerSize = 16
  private static let identitySize = 20
  private static let segmentSize: UInt32 = 64 << 10
  private static let segments = UInt32(queueLimit) - 2
  /// How much a request may read or write: what the driver is told in segments and their size.
  static let limit = UInt64(segments) * UInt64(segmentSize)

  let file: DiskFile
  /// What it answers when asked who it is, at most 20 bytes.
  let identity: String
  let id: UInt16 = 2
  let classCode: UInt32 = 0x0180_0000

  static func offer(isReadOnly: Bool) -> VirtioOffer {
    let features = Feature.sizeMax | Feature.segmentMax | Feature.flush | (isReadOnly ? Feature.readOnly : 0)
    return VirtioOffer(features: features, queueLimits: [queueLimit])
  }

  /// Capacity in sectors, then the size of a segment and how many a request has.
  var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(file.sectors)
    bytes.appendLittleEndian(Self.segmentSize)
    bytes.appendLittleEndian(Self.segments)
    return bytes
  }

  func carryOut(_ chain: VirtioChain, _ memory: GuestMemory) throws(VirtioRingError) -> UInt32 {
    // The status is the last byte that the device writes, wherever the driver has put the rest.
    let room = chain.writableCount
    let header = try chain.read(Self.headerSize, at: 0, memory)
    guard room >= 1, let kind = header.littleEndian(UInt32.self, at: 0),
      let sector = header.littleEndian(UInt64.self, at: 8)
    else { throw .request }
    let (status, written): (Status, UInt64) =
      switch kind {
      case Kind.read: try read(sector, room - 1, chain, memory)
      case Kind.write: (try write(sector, chain, memory), 0)
      case Kind.flush: (flush(), 0)
      case Kind.identity: try tellIdentity(room - 1, chain, memory)
      default: (.unsupported, 0)
      }
    try chain.write([status.rawValue], at: room - 1, memory)
    // What was not written before the status was not written at all.
    return UInt32(clamping: written == room - 1 ? room : written)
  }

  private func read(
    _ sector: UInt64, _ count: UInt64, _ chain: VirtioChain, _ memory: GuestMemory
  ) throws(VirtioRingError) -> (Status, UInt64) {
    guard isTransfer(sector, count), let bytes = try? file.read(Int(count), at: sector * DiskFile.sectorSize) else {
      return (.failed, 0)
    }
    try chain.write(bytes, at: 0, memory)
    return (.done, count)
  }

  private func write(
    _ sector: UInt64, _ chain: VirtioChain, _ memory: GuestMemory
  ) throws(VirtioRingError) -> Status {
    let count = chain.readableCount - UInt64(Self.headerSize)
    guard !file.isReadOnly, isTransfer(sector, count) else { return .failed }
    let bytes = try chain.read(Int(count), at: UInt64(Self.headerSize), memory)
    return (try? file.write(bytes, at: sector * DiskFile.sectorSize)) == nil ? .failed : .done
  }

  private func isTransfer(_ sector: UInt64, _ count: UInt64) -> Bool {
    count > 0 && count <= Self.limit && count.isMultiple(of: DiskFile.sectorSize) && file.holds(sector, bytes: count)
  }

  private func flush() -> Status { (try? file.flush()) == nil ? .failed : .done }

  private func tellIdentity(
    _ room: UInt64, _ chain: VirtioChain, _ memory: GuestMemory
  ) throws(VirtioRingError) -> (Status, UInt64) {
    let count = min(room, UInt64(Self.identitySize))
    var bytes = Array(identity.utf8.prefix(Self.identitySize))
    bytes += [UInt8](repeating: 0, count: Self.identitySize - bytes.count)
    try chain.write(Array(bytes.prefix(Int(count))), at: 0, memory)
    return (.done, count)
  }

  func end() { file.unlock() }
}
