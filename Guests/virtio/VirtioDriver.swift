import APIC
import GuestKit

/// A small driver of a virtio device on PCI (virtio 1.2, section 4.1): one queue of eight descriptors, by MSI-X.
struct VirtioDriver {
  /// A buffer of a request.
  enum Buffer {
    /// The device reads it.
    case read(UInt64, UInt32)
    /// The device writes it.
    case write(UInt64, UInt32)
  }

  private static let size: UInt16 = 8
  private let pci: PCIDevice
  private let common: UInt64
  private let notifications: UInt64
  private let table: UInt64
  private let pending: UInt64
  private let messageControl: UInt32
  /// The device's own configuration.
  let device: UInt64
  /// Where the rings are, a page; buffers lie in the next one.
  private let rings: UInt64
  /// What the device offers, bits 31:0.
  let features: UInt32
  private var available: UInt16 = 0
  /// How many requests came back.
  private(set) var taken: UInt16 = 0

  private var driverArea: UInt64 { rings + 0x100 }
  private var deviceArea: UInt64 { rings + 0x200 }
  /// A page for what a request refers to.
  var buffer: UInt64 { rings + 0x1000 }

  /// The first device with a virtio number; nil where there is none.
  init?(id: UInt32, rings: UInt64) {
    guard let pci = PCIDevice.find((0x1040 + id) << 16 | 0x1af4), let msiX = pci.capability(0x11) else { return nil }
    var places = InlineArray<5, UInt64>(repeating: 0)
    var place = pci.capability(0x09)
    while let found = place {
      let kind = Int(pci.byte(found + 3))
      if kind < 5 { places[kind] = pci.memoryBase + UInt64(pci[found + 8]) }
      place = pci.capability(0x09, after: found)
    }
    self.pci = pci
    self.rings = rings
    (common, notifications, device) = (places[1], places[2], places[4])
    table = pci.memoryBase + UInt64(pci[msiX + 4] & ~7)
    pending = pci.memoryBase + UInt64(pci[msiX + 8] & ~7)
    messageControl = msiX
    pci.enable()
    physicalMemory[byte: places[1] + 0x14] = 0
    physicalMemory[word: places[1]] = 0
    features = physicalMemory[word: places[1] + 4]
  }

  /// Negotiates version 1 alone, sets the queue up and starts; says whether the device agreed.
  func start(vector: UInt16) -> Bool {
    physicalMemory[byte: common + 0x14] = 3
    physicalMemory[word: common + 0x08] = 1
    physicalMemory[word: common + 0x0c] = 1
    physicalMemory[byte: common + 0x14] = 0xb
    guard physicalMemory[byte: common + 0x14] == 0xb else { return false }
    for word in 0..<UInt64(1024) { physicalMemory[word: rings + 4 * word] = 0 }
    physicalMemory[half: common + 0x16] = 0
    physicalMemory[half: common + 0x18] = Self.size
    physicalMemory[half: common + 0x1a] = vector
    place(0x20, rings)
    place(0x28, driverArea)
    place(0x30, deviceArea)
    physicalMemory[half: common + 0x1c] = 1
    physicalMemory[byte: common + 0x14] = 0xf
    return true
  }

  /// Says where a part of the queue is: below 4 GiB.
  private func place(_ register: UInt64, _ address: UInt64) {
    physicalMemory[word: common + register] = UInt32(truncatingIfNeeded: address)
    physicalMemory[word: common + register + 4] = 0
  }

  /// Makes a request of up to three buffers available and notifies the device.
  mutating func submit(_ first: Buffer, _ second: Buffer? = nil, _ third: Buffer? = nil) {
    describe(0, first, hasNext: second != nil)
    if let second { describe(1, second, hasNext: third != nil) }
    if let third { describe(2, third, hasNext: false) }
    physicalMemory[half: driverArea + 4 + 2 * UInt64(available % Self.size)] = 0
    available &+= 1
    physicalMemory[half: driverArea + 2] = available
    physicalMemory[half: notifications] = 0
  }

  private func describe(_ index: UInt16, _ buffer: Buffer, hasNext: Bool) {
    let place = rings + 16 * UInt64(index)
    let (address, count, isWritten): (UInt64, UInt32, Bool) =
      switch buffer {
      case .read(let address, let count): (address, count, false)
      case .write(let address, let count): (address, count, true)
      }
    physicalMemory[word: place] = UInt32(truncatingIfNeeded: address)
    physicalMemory[word: place + 4] = UInt32(truncatingIfNeeded: address >> 32)
    physicalMemory[word: place + 8] = count
    physicalMemory[half: place + 12] = (hasNext ? 1 : 0) | (isWritten ? 2 : 0)
    physicalMemory[half: place + 14] = index + 1
  }

  /// Takes a request back; how many bytes the device wrote, or nil where none came back.
  mutating func take() -> UInt32? {
    guard physicalMemory[half: deviceArea + 2] != taken else { return nil }
    let count = physicalMemory[word: deviceArea + 4 + 8 * UInt64(taken % Self.size) + 4]
    taken &+= 1
    return count
  }
}

extension VirtioDriver {
  /// Writes a vector's message.
  func route(_ vector: UInt64, to message: MSIMessage) {
    physicalMemory[word: table + 16 * vector] = UInt32(truncatingIfNeeded: message.address)
    physicalMemory[word: table + 16 * vector + 4] = UInt32(truncatingIfNeeded: message.address >> 32)
    physicalMemory[word: table + 16 * vector + 8] = message.data
  }

  /// Masks or unmasks a vector.
  func setMask(_ vector: UInt64, _ isMasked: Bool) { physicalMemory[word: table + 16 * vector + 12] = isMasked ? 1 : 0 }

  /// Lets the device use MSI-X, with vector 1 unmasked.
  func enableMessages() {
    pci[messageControl] = pci[messageControl] | 1 << 31
    setMask(1, false)
  }

  /// Masks or unmasks all vectors.
  func setFunctionMask(_ isMasked: Bool) {
    pci[messageControl] = pci[messageControl] & ~(1 << 30) | (isMasked ? 1 << 30 : 0)
  }

  /// Whether a vector's pending bit is set.
  func isPending(_ vector: UInt32) -> Bool { physicalMemory[word: pending] >> vector & 1 != 0 }
}
