/// What the common configuration of a virtio device holds (virtio 1.2, section 4.1.4.3), as a value. What follows from a
/// write is for who has the value.
struct VirtioRegisters: Hashable, Sendable {
  /// VIRTIO_MSI_NO_VECTOR.
  static let noVector: UInt16 = 0xffff
  /// VIRTIO_F_VERSION_1, without which there is no such device.
  static let version1: UInt64 = 1 << 32
  /// VIRTIO_F_EVENT_IDX.
  static let eventIndex: UInt64 = 1 << 29
  /// How many bytes the common configuration has.
  static let size: UInt64 = 0x40

  /// The device status (section 2.1).
  enum Status {
    static let driverOK: UInt8 = 4
    static let featuresOK: UInt8 = 8
    static let needsReset: UInt8 = 64
  }

  /// Where the registers are, and how many bytes they have. Of the queues' addresses each half is one.
  enum Register: UInt64, CaseIterable, Sendable {
    case deviceFeatureSelect = 0x00
    case deviceFeature = 0x04
    case driverFeatureSelect = 0x08
    case driverFeature = 0x0c
    case configurationVector = 0x10
    case queueCount = 0x12
    case deviceStatus = 0x14
    case configurationGeneration = 0x15
    case queueSelect = 0x16
    case queueSize = 0x18
    case queueVector = 0x1a
    case queueEnable = 0x1c
    case queueNotifyOffset = 0x1e
    case descriptorsLow = 0x20
    case descriptorsHigh = 0x24
    case driverAreaLow = 0x28
    case driverAreaHigh = 0x2c
    case deviceAreaLow = 0x30
    case deviceAreaHigh = 0x34

    var width: Int {
      switch self {
      case .deviceStatus, .configurationGeneration: 1
      case .configurationVector, .queueCount, .queueSelect, .queueSize, .queueVector, .queueEnable, .queueNotifyOffset:
        2
      default: 4
      }
    }
  }

  /// What the device offers.
  let offered: UInt64
  /// How many MSI-X vectors there are to choose from.
  let vectorCount: Int
  var deviceFeatureSelect: UInt32 = 0
  var driverFeatureSelect: UInt32 = 0
  /// What the driver accepts.
  var features: UInt64 = 0
  /// The MSI-X vector of changes of the configuration.
  var configurationVector = VirtioRegisters.noVector
  /// The device status.
  var status: UInt8 = 0
  /// The queue that the queue registers are of.
  var queueSelect: UInt16 = 0
  /// The queues.
  var queues: [VirtioQueue]

  /// Registers as they are after reset.
  ///
  /// - Parameters:
  ///   - features: what the device can do beyond what every device of this transport can.
  ///   - queueLimits: the largest size of each queue.
  init(features: UInt64, queueLimits: [UInt16]) {
    offered = features | Self.version1 | Self.eventIndex
    queues = queueLimits.map(VirtioQueue.init)
    vectorCount = queueLimits.count + 1
  }

  /// Whether the device carries out requests.
  var isRunning: Bool { status & (Status.driverOK | Status.needsReset) == Status.driverOK }
  /// Whether VIRTIO_F_EVENT_IDX was negotiated.
  var usesEventIndex: Bool { features & Self.eventIndex != 0 }

  /// The queue that is selected; none where there is no such queue.
  private var selected: Int? { queues.indices.contains(Int(queueSelect)) ? Int(queueSelect) : nil }

  /// Forgets everything, as the driver asks by writing 0 to the status.
  mutating func reset() { self = VirtioRegisters(features: offered, queueLimits: queues.map(\.limit)) }

  /// Reads 1 to 8 bytes, of whatever registers they are.
  func read(at offset: UInt64, width: Int) -> UInt64 {
    Register.allCases.reduce(0) { value, register in
      let (start, end) = (register.rawValue, register.rawValue + UInt64(register.width))
      guard start < offset + UInt64(width), offset < end else { return value }
      let bits = UInt64(self[register])
      return value | (start >= offset ? bits << (8 * (start - offset)) : bits >> (8 * (offset - start)))
    }
  }

  private subscript(register: Register) -> UInt32 {
    let queue = selected.map { queues[$0] }
    switch register {
    case .deviceFeatureSelect: return deviceFeatureSelect
    case .deviceFeature: return Self.half(deviceFeatureSelect, of: offered)
    case .driverFeatureSelect: return driverFeatureSelect
    case .driverFeature: return Self.half(driverFeatureSelect, of: features)
    case .configurationVector: return UInt32(configurationVector)
    case .queueCount: return UInt32(queues.count)
    case .deviceStatus: return UInt32(status)
    case .configurationGeneration: return 0
    case .queueSelect: return UInt32(queueSelect)
    case .queueSize: return UInt32(queue?.size ?? 0)
    case .queueVector: return UInt32(queue?.vector ?? Self.noVector)
    case .queueEnable: return queue?.isEnabled ?? false ? 1 : 0
    case .queueNotifyOffset: return queue == nil ? 0 : UInt32(queueSelect)
    case .descriptorsLow: return Self.half(0, of: queue?.descriptors ?? 0)
    case .descriptorsHigh: return Self.half(1, of: queue?.descriptors ?? 0)
    case .driverAreaLow: return Self.half(0, of: queue?.driverArea ?? 0)
    case .driverAreaHigh: return Self.half(1, of: queue?.driverArea ?? 0)
    case .deviceAreaLow: return Self.half(0, of: queue?.deviceArea ?? 0)
    case .deviceAreaHigh: return Self.half(1, of: queue?.deviceArea ?? 0)
    }
  }

  private static func half(_ index: UInt32, of value: UInt64) -> UInt32 {
    index < 2 ? UInt32(truncatingIfNeeded: value >> (32 * UInt64(index))) : 0
  }
}

extension VirtioRegisters {
  /// Writes one register, or both halves of an address. A write of another width than the register's is none.
  ///
  /// - Parameter memorySize: the size of guest memory, in which the queues have to lie, in bytes.
  mutating func write(_ value: UInt64, at offset: UInt64, width: Int, memorySize: UInt64) {
    if width == 8, offset >= Register.descriptorsLow.rawValue {
      write(value & 0xffff_ffff, at: offset, width: 4, memorySize: memorySize)
      write(value >> 32, at: offset + 4, width: 4, memorySize: memorySize)
      return
    }
    guard let register = Register(rawValue: offset), register.width == width else { return }
    let word = UInt32(truncatingIfNeeded: value)
    switch register {
    case .deviceFeatureSelect: deviceFeatureSelect = word
    case .driverFeatureSelect: driverFeatureSelect = word
    case .driverFeature: setFeatures(word)
    case .configurationVector: configurationVector = vector(word)
    case .deviceStatus: setStatus(UInt8(truncatingIfNeeded: word))
    case .queueSelect: queueSelect = UInt16(truncatingIfNeeded: word)
    case .deviceFeature, .queueCount, .configurationGeneration, .queueNotifyOffset: break
    case .queueVector:
      if let selected { queues[selected].vector = vector(word) }
    default: writeQueue(register, word, memorySize)
    }
  }

  /// A vector that there is not reads back as none (section 4.1.5.1.2.1).
  private func vector(_ word: UInt32) -> UInt16 {
    word < UInt32(vectorCount) ? UInt16(word) : Self.noVector
  }

  private mutating func setFeatures(_ word: UInt32) {
    guard status & Status.featuresOK == 0, driverFeatureSelect < 2 else { return }
    let shift = 32 * UInt64(driverFeatureSelect)
    features = features & ~(0xffff_ffff << shift) | UInt64(word) << shift
  }

  /// The driver sets bits one after the other; what it accepts must have been offered, or FEATURES_OK stays clear.
  private mutating func setStatus(_ value: UInt8) {
    guard value != 0 else { return reset() }
    var next = value & ~Status.needsReset | status & Status.needsReset
    let isAcceptable = features & ~offered == 0 && features & Self.version1 != 0
    if !isAcceptable { next &= ~Status.featuresOK }
    if next & Status.featuresOK == 0 { next &= ~Status.driverOK }
    status = next
  }

  /// What makes up a queue can be chosen until it is enabled, and not while there is a size or a place that cannot be.
  private mutating func writeQueue(_ register: Register, _ word: UInt32, _ memorySize: UInt64) {
    guard let selected, !queues[selected].isEnabled else { return }
    func merged(_ old: UInt64, isHigh: Bool) -> UInt64 {
      isHigh ? old & 0xffff_ffff | UInt64(word) << 32 : old & ~0xffff_ffff | UInt64(word)
    }
    var queue = queues[selected]
    switch register {
    case .queueSize:
      guard (1...UInt32(queue.limit)).contains(word), word.nonzeroBitCount == 1 else { return }
      queue.size = UInt16(word)
    case .queueEnable:
      guard word == 1, status & Status.featuresOK != 0 else { return }
      guard queue.isPlaced(inMemoryOf: memorySize) else {
        status |= Status.needsReset
        return
      }
      queue.isEnabled = true
    case .descriptorsLow, .descriptorsHigh:
      queue.descriptors = merged(queue.descriptors, isHigh: register == .descriptorsHigh)
    case .driverAreaLow, .driverAreaHigh:
      queue.driverArea = merged(queue.driverArea, isHigh: register == .driverAreaHigh)
    case .deviceAreaLow, .deviceAreaHigh:
      queue.deviceArea = merged(queue.deviceArea, isHigh: register == .deviceAreaHigh)
    default: return
    }
    queues[selected] = queue
  }
}
