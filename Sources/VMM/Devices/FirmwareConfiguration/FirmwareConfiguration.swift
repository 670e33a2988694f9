import Synchronization

/// QEMU's fw_cfg in ports: a selector (0x510), the selected item byte by byte (0x511), and a DMA interface (0x514), as
/// Linux and OVMF know them (QEMU, docs/specs/fw_cfg.rst). Guests cannot change the items.
final class FirmwareConfiguration: Sendable {
  static let selectorPort: Range<UInt64> = 0x510..<0x511
  static let dataPort: Range<UInt64> = 0x511..<0x512
  static let dmaPorts: Range<UInt64> = 0x514..<0x51c
  static let stateName = "firmware"

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

extension FirmwareConfiguration: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension FirmwareConfiguration.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(
      selector: UInt16(truncatingIfNeeded: try saved.value("selector", upTo: 0xffff)),
      offset: Int(try saved.value("offset", upTo: UInt64(UInt32.max))),
      addressHigh: UInt32(truncatingIfNeeded: try saved.value("addressHigh", upTo: UInt64(UInt32.max))))
  }

  var fields: [String: [UInt64]] {
    ["selector": [UInt64(selector)], "offset": [UInt64(offset)], "addressHigh": [UInt64(addressHigh)]]
  }
}

/// The items of fw_cfg, by selector (QEMU, docs/specs/fw_cfg.rst; include/standard-headers/linux/qemu_fw_cfg.h).
enum FirmwareItem {
  static let signature: UInt16 = 0x00
  static let interface: UInt16 = 0x01
  static let ramSize: UInt16 = 0x03
  static let processorCount: UInt16 = 0x05
  static let processorLimit: UInt16 = 0x0f
  static let directory: UInt16 = 0x19
  static let firstFile: UInt16 = 0x20

  /// The traditional interface, and DMA.
  static let features: UInt32 = 0x03
}

/// What fw_cfg holds: items by selector, and files by name, which a directory lists.
struct FirmwareItems: Hashable, Sendable {
  private(set) var items: [UInt16: [UInt8]] = [:]
  private var files: [(name: String, selector: UInt16)] = []

  static func == (first: Self, second: Self) -> Bool { first.items == second.items }
  func hash(into hasher: inout Hasher) { hasher.combine(items) }

  /// What a machine with so much memory and so many vCPUs tells its firmware.
  init(memory: GuestMemory, vcpus: Int) {
    items[FirmwareItem.signature] = Array("QEMU".utf8)
    set(FirmwareItem.interface, FirmwareItem.features)
    set(FirmwareItem.ramSize, memory.size)
    set(FirmwareItem.processorCount, UInt16(clamping: vcpus))
    set(FirmwareItem.processorLimit, UInt16(clamping: vcpus))
    add(
      file: "etc/e820",
      memory.banks.flatMap { bank in
        Self.bytes(bank.address) + Self.bytes(bank.size) + Self.bytes(UInt32(1))
      })
  }

  private mutating func set(_ selector: UInt16, _ value: some FixedWidthInteger) { items[selector] = Self.bytes(value) }

  /// Adds a file, and writes the directory anew: all its numbers are big-endian.
  private mutating func add(file name: String, _ contents: [UInt8]) {
    let selector = FirmwareItem.firstFile + UInt16(files.count)
    files.append((name, selector))
    items[selector] = contents
    var directory = Self.bytes(UInt32(files.count).bigEndian)
    for file in files {
      directory += Self.bytes(UInt32(items[file.selector]?.count ?? 0).bigEndian)
      directory += Self.bytes(file.selector.bigEndian) + [0, 0]
      let text = Array(file.name.utf8.prefix(55))
      directory += text + [UInt8](repeating: 0, count: 56 - text.count)
    }
    items[FirmwareItem.directory] = directory
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

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
