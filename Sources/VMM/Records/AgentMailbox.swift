public import APIC
public import GuestContract

/// The host's end of a mailbox of the guest `agent`: one operation at a time, on one vCPU.
///
/// The guest is not trusted: it can delay, repeat or forge an answer, which then is a wrong answer and nothing more.
public struct AgentMailbox: Sendable {
  /// What an operation came to.
  public struct Answer: Hashable, Sendable {
    /// The operation's first result.
    public var first: UInt64
    /// Its second.
    public var second: UInt64
    /// The vector of the exception that it raised, if it raised one.
    public var fault: UInt8?
  }

  private let memory: GuestMemory
  private let address: UInt64

  init(memory: GuestMemory, address: UInt64) {
    self.memory = memory
    self.address = address
  }

  /// How often the agent has started on this vCPU.
  public var starts: UInt32 {
    get throws(GuestMemoryError) { try memory.load(UInt32.self, at: address + UInt64(LAPWING_MAILBOX_STARTS)) }
  }

  /// Whether the operation that was posted last is done.
  public var isDone: Bool {
    get throws(GuestMemoryError) {
      try memory.load(UInt32.self, at: address + UInt64(LAPWING_MAILBOX_DONE))
        == memory.load(UInt32.self, at: address + UInt64(LAPWING_MAILBOX_POSTED))
    }
  }

  /// Tells the agent what to do next. The one before must be done.
  public func post(_ operation: AgentOperation, _ arguments: [UInt64]) throws(GuestMemoryError) {
    // Word by word: the agent writes to others of the mailbox meanwhile, such as `starts`.
    try memory.store(operation.rawValue, at: address(of: \.operation))
    try memory.store(0 as UInt32, at: address(of: \.fault))
    for index in 0..<4 {
      let argument = index < arguments.count ? arguments[index] : 0
      try memory.store(argument, at: address(of: \.arguments) + UInt64(8 * index))
    }
    // Posted last, by a store that releases: the agent looks at nothing else before.
    let posted = address + UInt64(LAPWING_MAILBOX_POSTED)
    try memory.store(try memory.load(UInt32.self, at: posted) &+ 1, at: posted)
  }

  private func address<Field>(of field: KeyPath<Mailbox, Field>) -> UInt64 {
    address + UInt64(MemoryLayout<Mailbox>.offset(of: field) ?? 0)
  }

  /// Opens or closes the gate at which handlers that hold wait.
  public func setGate(open isOpen: Bool) throws(GuestMemoryError) {
    try memory.store(UInt32(isOpen ? 1 : 0), at: address + UInt64(LAPWING_MAILBOX_GATE))
  }

  /// The answer to the operation that is done.
  public func answer() throws(GuestMemoryError) -> Answer {
    let mailbox = try memory.loadStructure(Mailbox.self, at: address)
    return Answer(
      first: mailbox.results.0, second: mailbox.results.1,
      fault: mailbox.fault == 0 ? nil : UInt8(truncatingIfNeeded: mailbox.fault - 1))
  }
}

extension Machine {
  /// The mailbox of a vCPU, for a machine that runs the guest `agent`.
  ///
  /// - Parameter index: the vCPU's.
  public func mailbox(of index: Int) -> AgentMailbox {
    AgentMailbox(
      memory: memory, address: layout.mailboxes + UInt64(index) * UInt64(MemoryLayout<Mailbox>.stride))
  }

  /// How often a vCPU has recorded a vector, as its guest counts. Reading it does not disturb the guest.
  ///
  /// - Parameters:
  ///   - vector: any vector.
  ///   - index: the vCPU's.
  /// - Returns: the count; 0 for guests that do not count.
  public func recorded(_ vector: Vector, on index: Int) -> Int {
    let area = layout.processorArea + UInt64(index) * BootLayout.processorStride
    let address = area + UInt64(LAPWING_PROCESSOR_COUNTS) + 4 * UInt64(vector.rawValue)
    return Int((try? memory.load(UInt32.self, at: address)) ?? 0)
  }
}
