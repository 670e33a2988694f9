/// Where a GSI leads, from the line to the vCPU.
public struct LineReport: Codable, Hashable, Sendable {
  /// The GSI.
  public var gsi: UInt32
  /// What raises it, as far as the state says: `irqfd 0`, `PIT`.
  public var sources: [String]
  /// The ways that it takes, one for each route.
  public var ways: [Way]

  /// A way from a GSI to vCPUs.
  public struct Way: Codable, Hashable, Sendable {
    /// What it goes through.
    public var through: Kind
    /// The pin of the IOAPIC or the line of the PIC, which counts from 0 to 15; absent for a message.
    public var pin: Int?
    /// What the entry or the message says.
    public var entry: String
    /// What stops it; absent where nothing does.
    public var obstacle: String?
    /// Whether it is asserted, or sent and not ended.
    public var status: String?
    /// Who gets it; absent where it is stopped.
    public var recipients: Recipients?

    /// Where it ends, for a person.
    var end: String { obstacle ?? recipients?.text ?? "" }
  }

  /// What a GSI goes through.
  public enum Kind: String, Codable, Sendable {
    /// A pin of the IOAPIC.
    case ioapic
    /// A line of the PIC.
    case pic
    /// A message.
    case msi
    /// A synthetic interrupt source of Hyper-V.
    case hyperV = "hyperv"

    /// Its name for a person.
    var words: String {
      switch self {
      case .ioapic: "IOAPIC"
      case .pic: "PIC"
      case .msi: "MSI"
      case .hyperV: "Hyper-V"
      }
    }
  }
}
