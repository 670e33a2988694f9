/// The registers of a local APIC at one moment: the page that `KVM_GET_LAPIC` reads and `KVM_SET_LAPIC` writes (KVM API,
/// sections 4.57 and 4.58).
public struct LocalAPICState: Sendable {
  /// The page's 1024 bytes as 32-bit words.
  ///
  /// A register is the word at a quarter of its offset. The three words after it are unused, but are kept so that a page comes back as it was.
  public var registers: InlineArray<256, UInt32>

  /// The state that a register page holds.
  ///
  /// - Parameter registers: The page, by default with every register zero.
  public init(registers: InlineArray<256, UInt32> = InlineArray(repeating: 0)) {
    self.registers = registers
  }

  /// A register's 32 bits; of the ISR, the TMR and the IRR those of vectors 31:0.
  public subscript(register: LocalAPICRegister) -> UInt32 {
    get { self[register, word: 0] }
    set { self[register, word: 0] = newValue }
  }

  /// The 32 bits of one of the registers that a case stands for.
  ///
  /// - Parameters:
  ///   - register: The first of them.
  ///   - word: 0 to the register's `wordCount` - 1.
  public subscript(register: LocalAPICRegister, word word: Int) -> UInt32 {
    get { registers[Int(register.offset(word: word) / 4)] }
    set { registers[Int(register.offset(word: word) / 4)] = newValue }
  }
}

extension LocalAPICState: Hashable {
  /// Whether both pages hold the same 1024 bytes.
  public static func == (left: LocalAPICState, right: LocalAPICState) -> Bool {
    for index in left.registers.indices where left.registers[index] != right.registers[index] { return false }
    return true
  }

  /// Feeds the page to the hasher.
  public func hash(into hasher: inout Hasher) {
    for index in registers.indices { hasher.combine(registers[index]) }
  }
}
