import Testing

@testable import VMM

@Suite struct VirtioQueueTests {
  private static let size: UInt16 = 4
  private let memory: GuestMemory

  init() throws { memory = try GuestMemory(size: 1 << 20) }

  private var queue: VirtioQueue {
    var queue = VirtioQueue(limit: Self.size)
    (queue.descriptors, queue.driverArea, queue.deviceArea) = (0x1000, 0x2000, 0x3000)
    return queue
  }

  private func describe(_ index: UInt64, _ address: UInt64, _ count: UInt32, flags: UInt64 = 0, next: UInt64 = 0) throws
  {
    try memory.store(address, at: 0x1000 + 16 * index)
    try memory.store(UInt64(count) | flags << 32 | next << 48, at: 0x1008 + 16 * index)
  }

  private func offer(_ heads: UInt16...) throws {
    for (index, head) in heads.enumerated() { try memory.store(head, at: 0x2004 + 2 * UInt64(index)) }
    try memory.store(UInt16(heads.count), at: 0x2002)
  }

  @Test func `a chain has what the device reads and what it writes, in order`() throws {
    try describe(1, 0x8000, 16, flags: 1, next: 3)
    try describe(3, 0x9000, 512, flags: 3, next: 0)
    try describe(0, 0xa000, 1, flags: 2)
    try offer(1)
    var queue = queue
    let first = try queue.next(memory, usesEventIndex: false)
    let chain = try #require(first)
    #expect(chain.head == 1)
    #expect(chain.readable == [VirtioChain.Buffer(address: 0x8000, count: 16)])
    #expect(chain.writable.map(\.count) == [512, 1])
    let second = try queue.next(memory, usesEventIndex: false)
    #expect(second == nil)
  }

  @Test func `bytes are read and written across buffers`() throws {
    var chain = VirtioChain(head: 0)
    chain.writable = [
      VirtioChain.Buffer(address: 0x8000, count: 3), VirtioChain.Buffer(address: 0x9000, count: 4),
    ]
    try chain.write([1, 2, 3, 4, 5, 6, 7, 8], at: 1, memory)
    chain.readable = chain.writable
    #expect(try chain.read(100, at: 0, memory) == [0, 1, 2, 3, 4, 5, 6])
    #expect(try chain.read(2, at: 2, memory) == [2, 3])
    #expect(try chain.read(2, at: 7, memory) == [])
  }

  @Test func `what is given back is in the used ring, and interrupts unless the driver does not want it`() throws {
    var queue = queue
    queue.used = 0xffff
    let chain = VirtioChain(head: 2)
    let interrupts = try queue.complete(chain, written: 7, memory, usesEventIndex: false)
    #expect(interrupts)
    #expect(try memory.load(UInt32.self, at: 0x3004 + 8 * 3) == 2)
    #expect(try memory.load(UInt32.self, at: 0x3008 + 8 * 3) == 7)
    #expect(try memory.load(UInt16.self, at: 0x3002) == 0)
    try memory.store(1 as UInt16, at: 0x2000)
    let interruptsUnwanted = try queue.complete(chain, written: 0, memory, usesEventIndex: false)
    #expect(!interruptsUnwanted)
  }

  @Test func `with event indices it interrupts where the driver waits for that one, and says what it has seen`() throws
  {
    var queue = queue
    let chain = VirtioChain(head: 0)
    try memory.store(1 as UInt16, at: 0x2004 + 2 * 4)
    for isAwaited in [false, true, false] {
      let interrupts = try queue.complete(chain, written: 0, memory, usesEventIndex: true)
      #expect(interrupts == isAwaited)
    }
    queue.available = 5
    try memory.store(5 as UInt16, at: 0x2002)
    let next = try queue.next(memory, usesEventIndex: true)
    #expect(next == nil)
    #expect(try memory.load(UInt16.self, at: 0x3004 + 8 * 4) == 5)
  }

  /// What a driver may break, and what is found.
  struct Damage: CustomTestStringConvertible, Sendable {
    let error: VirtioRingError
    let make: @Sendable (VirtioQueueTests) throws -> Void
    var testDescription: String { "\(error)" }
  }

  static let damages: [Damage] = [
    Damage(error: .availableIndex) { try $0.memory.store(5 as UInt16, at: 0x2002) },
    Damage(error: .descriptorNumber) { try $0.offer(4) },
    Damage(error: .descriptorNumber) {
      try $0.describe(0, 0x8000, 1, flags: 1, next: 0xffff)
      try $0.offer(0)
    },
    Damage(error: .loop) {
      try $0.describe(0, 0x8000, 1, flags: 1, next: 0)
      try $0.offer(0)
    },
    Damage(error: .buffer) {
      try $0.describe(0, 0x8000, 0)
      try $0.offer(0)
    },
    Damage(error: .buffer) {
      try $0.describe(0, (1 << 20) - 1, 2)
      try $0.offer(0)
    },
    Damage(error: .buffer) {
      try $0.describe(0, .max, 0xffff_ffff)
      try $0.offer(0)
    },
    Damage(error: .buffer) {
      try $0.describe(0, 0xfec0_0000, 4)
      try $0.offer(0)
    },
    Damage(error: .order) {
      try $0.describe(0, 0x8000, 1, flags: 3, next: 1)
      try $0.describe(1, 0x8000, 1)
      try $0.offer(0)
    },
    Damage(error: .indirect) {
      try $0.describe(0, 0x8000, 16, flags: 4)
      try $0.offer(0)
    },
  ]

  @Test(arguments: damages) func `a broken ring is found and nothing of it is taken`(_ damage: Damage) throws {
    try damage.make(self)
    var queue = queue
    #expect(throws: damage.error) { _ = try queue.next(memory, usesEventIndex: false) }
    #expect(queue.available == 0)
  }

  @Test func `a queue has to lie in guest memory, aligned`() {
    #expect(queue.isPlaced(inMemoryOf: 1 << 20))
    for (path, address) in [
      (\VirtioQueue.descriptors, 0x1008), (\.driverArea, 0x2001), (\.deviceArea, 0x3002),
      (\.descriptors, (1 << 20) - 16), (\.driverArea, .max - 1), (\.deviceArea, 0xfee0_0000),
    ] as [(WritableKeyPath<VirtioQueue, UInt64>, UInt64)] {
      var queue = queue
      queue[keyPath: path] = address
      #expect(!queue.isPlaced(inMemoryOf: 1 << 20))
    }
  }

  @Test func `a queue is kept as numbers, and numbers that no queue has are refused`() {
    var queue = queue
    queue.isEnabled = true
    #expect(VirtioQueue(values: queue.values, limit: Self.size, memorySize: 1 << 20) == queue)
    for (index, value) in [(0, 3), (0, 8), (0, 0), (1, 2), (2, 1 << 16), (3, 8), (5, .max), (7, 1 << 16)]
      as [(Int, UInt64)]
    {
      var values = queue.values
      values[index] = value
      #expect(VirtioQueue(values: values, limit: Self.size, memorySize: 1 << 20) == nil)
    }
  }
}
