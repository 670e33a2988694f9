import Support

/// virtio-rng: fills what it is given with random bytes of the host's (virtio 1.2, section 5.4).
struct VirtioEntropy: VirtioModel {
  /// More than a driver asks for at once; of a longer request that many bytes are filled.
  static let limit: UInt64 = 64 << 10
  static let offer = VirtioOffer(features: 0, queueLimits: [64])

  let id: UInt16 = 4
  let classCode: UInt32 = 0x00ff_0000
  let configuration: [UInt8] = []

  func carryOut(_ chain: VirtioChain, _ memory: GuestMemory) throws(VirtioRingError) -> UInt32 {
    guard chain.readable.isEmpty else { throw .request }
    let count = Int(min(chain.writableCount, Self.limit))
    var random = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count { bytes.appendLittleEndian(random.next()) }
    bytes.removeLast(bytes.count - count)
    try chain.write(bytes, at: 0, memory)
    return UInt32(count)
  }
}
