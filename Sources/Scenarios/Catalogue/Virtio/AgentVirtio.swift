import APIC
import VMM

/// A driver of the machine's first virtio device, a virtio-rng: its registers are written by vCPU 0 as a driver does; what is
/// in its rings is put there from outside (virtio 1.2, sections 2.7 and 4.1).
struct AgentVirtio {
  /// Where the structures are, from the device's base address, as its capabilities say.
  private struct Places {
    var common: UInt64 = 0
    var notifications: UInt64 = 0
    var interruptStatus: UInt64 = 0
    var table: UInt64 = 0
    var pending: UInt64 = 0
    /// Where MSI-X's capability is in configuration space.
    var messages: UInt32 = 0
  }

  private static let size: UInt16 = 8
  private static let rings: UInt64 = 0x40_0000
  private static let driverArea = rings + 0x100
  private static let deviceArea = rings + 0x200
  private static let buffer = rings + 0x1000
  /// The vector of the table that the queue has.
  private static let vector: UInt64 = 1

  private let test: TestContext
  private let places: Places
  /// How many requests were made available.
  private(set) var requests: UInt16 = 0

  private var vcpu: AgentVCPU { test[vcpu: 0] }

  /// Finds the device and sets it up, with one queue.
  ///
  /// - Parameters:
  ///   - test: the scenario's context.
  ///   - usesMessages: whether it uses MSI-X, with every vector masked for now, or its line.
  init(_ test: TestContext, usesMessages: Bool = true) throws {
    self.test = test
    places = try Self.places(test)
    try Self.configure(test, 0x04, 6)
    if usesMessages {
      let control = try Self.configuration(test, places.messages)
      try Self.configure(test, places.messages, control | 1 << 31)
    }
    try test.machine.memory.write([UInt8](repeating: 0, count: 0x1000), at: Self.rings)
    for status in [0, 3] as [UInt32] { try setStatus(status) }
    try set(0x08, 1)
    try set(0x0c, 1)
    try setStatus(0xb)
    try test.check("the status after FEATURES_OK", try status(), equals: 0xb)
    try set(0x16, 0, width: 2)
    try set(0x18, UInt32(Self.size), width: 2)
    try set(0x1a, usesMessages ? UInt32(Self.vector) : 0xffff, width: 2)
    let parts: [(UInt64, UInt64)] = [(0x20, Self.rings), (0x28, Self.driverArea), (0x30, Self.deviceArea)]
    for (register, address) in parts {
      try set(register, UInt32(address))
      try set(register + 4, 0)
    }
    try set(0x1c, 1, width: 2)
    try setStatus(0xf)
  }

  private static func places(_ test: TestContext) throws -> Places {
    try test.check("the device in slot 4", try configuration(test, 0), equals: 0x1044_1af4)
    let base = UInt64(try configuration(test, 0x10) & ~0xf)
    var places = Places()
    var next = try configuration(test, 0x34) & 0xff
    for _ in 0..<16 where next != 0 {
      let head = try configuration(test, next)
      switch (head & 0xff, head >> 24) {
      case (0x11, _):
        places.messages = next
        places.table = base + UInt64(try configuration(test, next + 4) & ~7)
        places.pending = base + UInt64(try configuration(test, next + 8) & ~7)
      case (0x09, 1): places.common = base + UInt64(try configuration(test, next + 8))
      case (0x09, 2): places.notifications = base + UInt64(try configuration(test, next + 8))
      case (0x09, 3): places.interruptStatus = base + UInt64(try configuration(test, next + 8))
      default: break
      }
      next = head >> 8 & 0xff
    }
    return places
  }

  private static func configuration(_ test: TestContext, _ register: UInt32) throws -> UInt32 {
    try test[vcpu: 0].writePort(0xcf8, 1 << 31 | UInt32(VirtioPlace.firstSlot) << 11 | register, width: 4)
    return try test[vcpu: 0].readPort(0xcfc, width: 4)
  }

  private static func configure(_ test: TestContext, _ register: UInt32, _ value: UInt32) throws {
    try test[vcpu: 0].writePort(0xcf8, 1 << 31 | UInt32(VirtioPlace.firstSlot) << 11 | register, width: 4)
    try test[vcpu: 0].writePort(0xcfc, value, width: 4)
  }

  private func set(_ register: UInt64, _ value: UInt32, width: Int = 4) throws {
    try vcpu.writeMemory(places.common + register, value, width: width)
  }

  private func setStatus(_ status: UInt32) throws { try set(0x14, status, width: 1) }

  /// The device status.
  func status() throws -> UInt32 { try vcpu.readMemory(places.common + 0x14, width: 1) }

  /// What the device's line says, which goes low by that.
  func takeInterruptStatus() throws -> UInt32 { try vcpu.readMemory(places.interruptStatus, width: 1) }
}

extension AgentVirtio {
  /// Makes a request of 16 bytes available, of which the device is not notified.
  ///
  /// - Parameter address: where they go.
  mutating func makeAvailable(at address: UInt64 = Self.buffer) throws {
    let memory = test.machine.memory
    let index = requests % Self.size
    let place = Self.rings + 16 * UInt64(index)
    try memory.store(address, at: place)
    // 16 bytes, which the device writes.
    try memory.store(UInt64(2) << 32 | 16, at: place + 8)
    try memory.store(index, at: Self.driverArea + 4 + 2 * UInt64(index))
    requests &+= 1
    try memory.store(requests, at: Self.driverArea + 2)
  }

  /// Notifies the device, as its driver does.
  func notify() throws { try vcpu.writeMemory(places.notifications, 0, width: 2) }

  /// Has a request of 16 bytes carried out, on its own time.
  mutating func request() throws {
    try makeAvailable()
    try notify()
  }

  /// How many requests have come back.
  func completed() throws -> UInt16 { try test.machine.memory.load(UInt16.self, at: Self.deviceArea + 2) }

  /// Waits until all requests have come back, and until what the device does then is done: its registers wait for that.
  func untilCompleted() throws {
    try test.until("request \(requests) comes back") { try completed() == requests }
    _ = try status()
  }
}

extension AgentVirtio {
  /// Writes the message of the queue's vector.
  func route(_ vector: Vector, to vcpu: Int) throws {
    let message = MSIMessage(vector: vector, destination: test[vcpu: vcpu].destination)
    let entry = places.table + 16 * Self.vector
    try self.vcpu.writeMemory(entry, UInt32(truncatingIfNeeded: message.address))
    try self.vcpu.writeMemory(entry + 4, UInt32(truncatingIfNeeded: message.address >> 32))
    try self.vcpu.writeMemory(entry + 8, message.data)
  }

  /// Masks or unmasks the queue's vector.
  func setMask(_ isMasked: Bool) throws {
    try vcpu.writeMemory(places.table + 16 * Self.vector + 12, isMasked ? 1 : 0)
  }

  /// Masks or unmasks all vectors.
  func setFunctionMask(_ isMasked: Bool) throws {
    let control = try Self.configuration(test, places.messages)
    try Self.configure(test, places.messages, control & ~(1 << 30) | (isMasked ? 1 << 30 : 0))
  }

  /// Whether the queue's pending bit is set.
  func isPending() throws -> Bool { try vcpu.readMemory(places.pending) >> Self.vector & 1 != 0 }
}
