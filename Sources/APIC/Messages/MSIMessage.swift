/// A message-signaled interrupt: a write to the address range of the local APICs (SDM volume 3A, section 12.11).
///
/// The address is the one that `KVM_SIGNAL_MSI` and MSI routes take: where `KVM_CAP_X2APIC_API` has enabled 32-bit
/// destinations, bits 63:40 hold bits 31:8 of the destination (KVM API, sections 4.70 and 7.7).
public struct MSIMessage: Hashable, Sendable {
  /// Where the message is written: `address_lo` and `address_hi` of the KVM API in one.
  public var address: UInt64

  /// What is written there.
  public var data: UInt32

  /// The message with that address and data.
  public init(address: UInt64, data: UInt32) {
    self.address = address
    self.data = data
  }

  /// A message made of its fields.
  ///
  /// - Parameters:
  ///   - vector: 16 to 254 (SDM volume 3A, section 12.11.2).
  ///   - destination: Where it goes. More than 8 bits take the x2APIC format.
  ///   - deliveryMode: What the message does.
  ///   - triggerMode: Whether it is an edge or a level.
  ///   - isAsserted: The level. An edge has none, and leaves the bit clear.
  ///   - redirectionHint: Whether one processor of the destination is enough.
  public init(
    vector: Vector, destination: Destination, deliveryMode: DeliveryMode = .fixed, triggerMode: TriggerMode = .edge,
    isAsserted: Bool = true, redirectionHint: Bool = false
  ) {
    self.init(address: APICBase.defaultAddress, data: 0)
    self.vector = vector
    self.destination = destination
    self.deliveryMode = deliveryMode
    self.triggerMode = triggerMode
    self.isAsserted = triggerMode == .level && isAsserted
    self.redirectionHint = redirectionHint
  }
}

extension MSIMessage {
  /// Whether the address lies where the local APICs take messages, that is bits 31:20 are 0xfee.
  public var isInterrupt: Bool { address[bits: 20...31] == APICBase.defaultAddress >> 20 }

  /// Address bit 2, bits 19:12, and for more than 8 bits also bits 63:40.
  public var destination: Destination {
    get {
      let identifier = UInt32(address[bits: 40...63]) << 8 | UInt32(address[bits: 12...19])
      return Destination(identifier, mode: address[bit: 2] ? .logical : .physical)
    }
    set {
      address[bit: 2] = newValue.mode == .logical
      address[bits: 12...19] = UInt64(newValue.identifier)
      address[bits: 40...63] = UInt64(newValue.identifier >> 8)
    }
  }

  /// Address bit 3.
  public var redirectionHint: Bool {
    get { address[bit: 3] }
    set { address[bit: 3] = newValue }
  }

  /// Data bits 7:0.
  public var vector: Vector {
    get { data.vector }
    set { data.vector = newValue }
  }

  /// Data bits 10:8; `nil` is the reserved encoding.
  public var deliveryMode: DeliveryMode? {
    get { data.deliveryMode }
    set { data.deliveryMode = newValue }
  }

  /// Data bit 14, the level; it says nothing where the trigger mode is edge.
  public var isAsserted: Bool {
    get { data.isAsserted }
    set { data.isAsserted = newValue }
  }

  /// Data bit 15.
  public var triggerMode: TriggerMode {
    get { data.triggerMode }
    set { data.triggerMode = newValue }
  }
}

#if !hasFeature(Embedded)
extension MSIMessage: CustomStringConvertible {
  /// The message's fields, as in `Fixed 0x70 to physical 1`, or both words if it is not addressed to a local APIC.
  public var description: String {
    guard isInterrupt else { return "\(hex(data)) to address \(hex(address))" }
    let status = data.levelDescription + (redirectionHint ? ", redirectable" : "")
    return "\(data.deliveryDescription) to \(destination)\(status)"
  }
}
#endif
