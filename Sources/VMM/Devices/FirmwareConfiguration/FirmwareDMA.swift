import Synchronization

/// fw_cfg's DMA interface: the guest writes the address of a request, big-endian, high half first; the low half begins the
/// transfer, and the request's control word says how it went. All its numbers are big-endian.
struct FirmwareDMA: BusDevice {
  let configuration: FirmwareConfiguration

  /// "QEMU CFG": what the register shows, so that guests know that it is there.
  private static let signature: UInt64 = 0x5145_4d55_2043_4647
  /// The longest transfer, so that no guest keeps its vCPU from ending: more than any item has.
  private static let limit: UInt32 = 16 << 20
  private static let zeros = [UInt8](repeating: 0, count: 4096)

  private enum Control {
    static let error: UInt32 = 1 << 0
    static let read: UInt32 = 1 << 1
    static let skip: UInt32 = 1 << 2
    static let select: UInt32 = 1 << 3
    static let write: UInt32 = 1 << 4
  }

  func read(_ access: BusAccess) -> UInt64 {
    // In memory order the signature's first character comes first.
    let value = Self.signature.bigEndian >> (8 * access.offset)
    return value
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    guard access.width == 4 else { return }
    let half = UInt32(truncatingIfNeeded: value).bigEndian
    switch access.offset {
    case 0: configuration.state.withLock { $0.addressHigh = half }
    case 4: carryOut(low: half)
    default: break
    }
  }

  /// Carries out a request. One that lies outside of memory cannot be answered.
  private func carryOut(low: UInt32) {
    configuration.state.withLock { state in
      let address = UInt64(state.addressHigh) << 32 | UInt64(low)
      state.addressHigh = 0
      guard address <= .max - 16, let request = try? configuration.memory.read(16, at: address) else { return }
      let control = Self.number(request[0..<4])
      let length = UInt32(truncatingIfNeeded: Self.number(request[4..<8]))
      if control & UInt64(Control.select) != 0 {
        configuration.select(UInt16(truncatingIfNeeded: control >> 16), &state)
      }
      let isDone = transfer(UInt32(truncatingIfNeeded: control), length, Self.number(request[8..<16]), &state)
      let answer: UInt32 = isDone ? 0 : Control.error.bigEndian
      try? configuration.memory.write(
        (0..<4).map { UInt8(truncatingIfNeeded: answer >> UInt32(8 * $0)) }, at: address)
    }
  }

  private func transfer(
    _ control: UInt32, _ length: UInt32, _ address: UInt64, _ state: inout FirmwareConfiguration.State
  ) -> Bool {
    if control & Control.read != 0 {
      guard length <= Self.limit, address <= .max - UInt64(length) else { return false }
      return copy(Int(length), to: address, &state)
    }
    // Items are not the guest's to write.
    if control & Control.write != 0 { return false }
    if control & Control.skip != 0 { _ = configuration.take(Int(length), &state) }
    return true
  }

  /// Copies what is left of the item, and zeros behind it.
  private func copy(_ length: Int, to address: UInt64, _ state: inout FirmwareConfiguration.State) -> Bool {
    let bytes = configuration.take(length, &state)
    do throws(GuestMemoryError) {
      try configuration.memory.write(Array(bytes), at: address)
      var done = bytes.count
      while done < length {
        let count = min(length - done, Self.zeros.count)
        try configuration.memory.write(Self.zeros.span.extracting(0..<count), at: address + UInt64(done))
        done += count
      }
      return true
    } catch {
      return false
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
