public import APIC
import Support
import VMM

/// An interrupt from outside the guest, as a value.
public enum Stimulus: Hashable, Sendable {
  /// A change of a line (KVM_IRQ_LINE_STATUS).
  case line(gsi: UInt32, LineChange)
  /// A message-signalled interrupt (KVM_SIGNAL_MSI).
  case msi(MSIMessage)
  /// A non-maskable interrupt of a vCPU (KVM_NMI).
  case nmi(vcpu: Int)
  /// A write to the eventfd of a GSI (KVM_IRQFD).
  case irqfd(gsi: UInt32)

  /// What becomes of a line, each with its word.
  public enum LineChange: String, Hashable, Sendable, CaseIterable {
    /// It is not asserted.
    case low = "0"
    /// It is asserted.
    case high = "1"
    /// It is asserted, and then not.
    case pulse
  }
}

/// Why a text is no stimulus, or a moment or repetition of one.
public struct StimulusError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and what is wanted.
  public let description: String

  /// A problem.
  public init(_ description: String) { self.description = description }
}

extension Stimulus {
  /// The stimulus that a text stands for: `line:20=1`, `msi:0xfee01000:0x41`, `nmi:1` or `irqfd:24`.
  ///
  /// - Parameter text: a kind and its numbers, in decimal, or in hexadecimal with `0x`.
  /// - Throws: `StimulusError` for another kind, and for a number that is out of range, with the range.
  public init(written text: String) throws(StimulusError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("line", 2):
      let words = parts[1].split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 2, let change = LineChange(rawValue: words[1]) else {
        throw StimulusError("line:GSI=0, line:GSI=1 or line:GSI=pulse is wanted")
      }
      self = .line(gsi: try Self.gsi(words[0]), change)
    case ("msi", 3):
      guard let address = Self.number(parts[1]), let data = Self.number(parts[2]) else {
        throw StimulusError("msi:ADDRESS:DATA is wanted, such as msi:0xfee01000:0x41")
      }
      self = .msi(try Self.message(address: address, data: data))
    case ("nmi", 2):
      guard let index = Self.number(parts[1]) else { throw StimulusError("nmi:VCPU is wanted, such as nmi:1") }
      self = .nmi(vcpu: Int(clamping: index))
    case ("irqfd", 2): self = .irqfd(gsi: try Self.gsi(parts[1]))
    default:
      throw StimulusError("line:GSI=0|1|pulse, msi:ADDRESS:DATA, nmi:VCPU or irqfd:GSI is wanted")
    }
  }

  /// A message, checked.
  ///
  /// - Parameters:
  ///   - address: bits 31:20 are 0xfee, and bits 39:32 are 0; bits 63:40 are bits 31:8 of the destination.
  ///   - data: 32 bits.
  /// - Throws: `StimulusError` for what is out of range.
  static func message(address: UInt64, data: UInt64) throws(StimulusError) -> MSIMessage {
    guard let data = UInt32(exactly: data) else {
      throw StimulusError("the data of an MSI are 0 to 0xffffffff, not \(hex(data))")
    }
    let message = MSIMessage(address: address, data: data)
    guard message.isInterrupt, address >> 32 & 0xff == 0 else {
      throw StimulusError(
        "the address of an MSI is 0xfee00000 to 0xfeefffff, with bits 31:8 of a destination in bits 63:40, not "
          + hex(address))
    }
    return message
  }

  /// A GSI, checked.
  static func gsi(_ number: UInt64) throws(StimulusError) -> UInt32 {
    guard number < UInt64(InterruptController.gsiLimit) else {
      throw StimulusError("a GSI is 0 to \(InterruptController.gsiLimit - 1), not \(number)")
    }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Checks what depends on the machine.
  ///
  /// - Parameter vcpus: how many vCPUs it has.
  /// - Throws: `StimulusError` for a vCPU that it does not have.
  public func validate(vcpus: Int) throws(StimulusError) {
    guard case .nmi(let index) = self, !(0..<vcpus).contains(index) else { return }
    throw StimulusError("a vCPU is 0 to \(vcpus - 1) here, not \(index)")
  }

  private static func gsi(_ text: String) throws(StimulusError) -> UInt32 {
    guard let number = number(text) else {
      throw StimulusError("a GSI is a number from 0 to \(InterruptController.gsiLimit - 1)")
    }
    return try gsi(number)
  }

  /// A number in decimal, or in hexadecimal with `0x`; a sign is no digit.
  private static func number(_ text: String) -> UInt64? {
    if text.hasPrefix("0x") { return Hexadecimal.integer(text) }
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt64(text)
  }
}

extension Stimulus: CustomStringConvertible {
  /// The stimulus as `init(written:)` reads it.
  public var description: String {
    switch self {
    case .line(let gsi, let change): "line:\(gsi)=\(change.rawValue)"
    case .msi(let message): "msi:\(hex(message.address)):\(hex(message.data))"
    case .nmi(let vcpu): "nmi:\(vcpu)"
    case .irqfd(let gsi): "irqfd:\(gsi)"
    }
  }
}
