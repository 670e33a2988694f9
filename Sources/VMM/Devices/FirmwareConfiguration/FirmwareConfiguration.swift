import Synchronization

/// QEMU's fw_cfg in ports: a selector (0x510), the selected item byte by byte (0x511), and a DMA interface (0x514), as
/// Linux and OVMF know them (QEMU, docs/specs/fw_cfg.rst). Guests cannot change the items.
final class FirmwareConfiguration: Sendable {
  static let selectorPort: Range<UInt64> = 0x510..<0x511
  static let dataPort: Range<UInt64> = 0x511..<0x512
  static let dmaPorts: Range<UInt64> = 0x514..<0x51c

  struct State: Hashable, Sendable {
    /// The item that is read.
    var selector: UInt16 = 0
    /// Where the next byte is read.
    var offset = 0
    /// The high half of the next DMA request's address.
    var addressHigh: UInt32 = 0
  }

  let state = Mutex(State())
  let items: FirmwareItems
  let memory: GuestMemory

  init(items: FirmwareItems, memory: GuestMemory) {
    self.items = items
    self.memory = memory
  }

  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    [
      (Self.selectorPort, SelectorPort(configuration: self)), (Self.dataPort, DataPort(configuration: self)),
      (Self.dmaPorts, FirmwareDMA(configuration: self)),
    ]
  }

  func select(_ selector: UInt16, _ state: inout State) {
    state.selector = selector
    state.offset = 0
  }

  /// The next `count` bytes of the item; fewer at its end.
  func take(_ count: Int, _ state: inout State) -> ArraySlice<UInt8> {
    let item = items.items[state.selector] ?? []
    let start = min(state.offset, item.count)
    let end = min(start + min(count, item.count), item.count)
    state.offset = end
    return item[start..<end]
  }

  private struct SelectorPort: BusDevice {
    let configuration: FirmwareConfiguration

    func read(_ access: BusAccess) -> UInt64 { 0 }

    func write(_ value: UInt64, _ access: BusAccess) {
      guard access.width == 2 else { return }
      configuration.state.withLock { configuration.select(UInt16(truncatingIfNeeded: value), &$0) }
    }
  }

  private struct DataPort: BusDevice {
    let configuration: FirmwareConfiguration

    /// Behind an item's end there are zeros.
    func read(_ access: BusAccess) -> UInt64 {
      UInt64(configuration.state.withLock { configuration.take(1, &$0).first ?? 0 })
    }

    func write(_ value: UInt64, _ access: BusAccess) {}
  }
}
