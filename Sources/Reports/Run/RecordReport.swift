import APIC
import VMM

/// Something that a guest wrote down, for a report.
public struct RecordReport: Codable, Sendable {
  /// What it is.
  public var kind: Kind
  /// The vCPU that wrote it.
  public var vcpu: Int
  /// The guest's TSC.
  public var tsc: UInt64
  /// When, in nanoseconds since the program started.
  public var time: Int64
  /// The vector of an interrupt or an exception.
  public var vector: UInt8?
  /// The interrupted instruction's address, or a figure.
  public var value: UInt64?
  /// The text of a mark, a check or a figure.
  public var label: String?
  /// Whether a check held.
  public var holds: Bool?
  /// What a check saw.
  public var saw: Int64?
  /// An exception's error code.
  public var errorCode: UInt32?
  /// Where an exception was, by a function of the image, such as `main+0x1e`; absent where none is near.
  public var place: String?

  /// What a guest writes down, each with its word in a document.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// It took an interrupt.
    case interrupt
    /// It took an exception.
    case exception
    /// It came to a place.
    case mark
    /// It checked something.
    case check
    /// It found a figure.
    case value
    /// Something that this program does not know.
    case unknown
  }

  init(_ record: GuestRecord, time: Int64) {
    vcpu = record.vcpu
    tsc = record.tsc
    self.time = time
    switch record.event {
    case .interrupt(let vector, let instruction):
      kind = .interrupt
      self.vector = vector.rawValue
      value = instruction
    case .exception(let vector, let errorCode, let instruction):
      kind = .exception
      self.vector = vector.rawValue
      value = instruction
      self.errorCode = errorCode
    case .mark(let label):
      kind = .mark
      self.label = label
    case .check(let label, let holds, let saw):
      kind = .check
      self.label = label
      self.holds = holds
      self.saw = saw
    case .value(let label, let value):
      kind = .value
      self.label = label
      self.value = value
    case .unknown(let code):
      kind = .unknown
      value = UInt64(code)
    }
  }
}
