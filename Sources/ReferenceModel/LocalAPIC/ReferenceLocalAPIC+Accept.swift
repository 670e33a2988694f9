public import APIC

/// A message on its way from a device or a local APIC to local APICs.
public struct BusMessage: Hashable, Sendable {
  /// The vector.
  public var vector: Vector
  /// What the message does; nil is the reserved encoding.
  public var deliveryMode: DeliveryMode?
  /// Whether it is level-triggered.
  public var isLevel: Bool
  /// Its level.
  public var isAsserted: Bool
  /// Where it goes, unless the shorthand says so.
  public var destination: Destination
  /// A destination that the sender knows without an address.
  public var shorthand: DestinationShorthand = .none
  /// Whether one processor of the destination is enough.
  public var redirectionHint = false

  /// Whether it goes to one local APIC of its destination (`kvm_lowest_prio_delivery`).
  var isLowestPriority: Bool { deliveryMode == .lowestPriority || redirectionHint }

  /// The message of an IOAPIC's pin.
  public init(_ entry: RedirectionEntry) {
    vector = entry.vector
    deliveryMode = entry.deliveryMode
    isLevel = entry.triggerMode == .level
    isAsserted = true
    destination = entry.destination
  }

  /// The message that a local APIC sends for a command.
  public init(_ command: InterruptCommand) {
    vector = command.vector
    deliveryMode = command.deliveryMode
    isLevel = command.triggerMode == .level
    isAsserted = command.isAsserted
    destination = command.destination
    shorthand = command.shorthand
  }

  /// The message that a device writes.
  ///
  /// - Parameters:
  ///   - message: What is written where.
  ///   - usesWideIDs: Whether bits 63:40 of the address are bits 31:8 of the destination (KVM_CAP_X2APIC_API).
  ///   - ignoresLevel: Whether a deasserted level is taken for an asserted one.
  public init(_ message: MSIMessage, usesWideIDs: Bool, ignoresLevel: Bool) {
    vector = message.vector
    deliveryMode = message.deliveryMode
    isLevel = message.triggerMode == .level
    isAsserted = ignoresLevel || !isLevel || message.isAsserted
    let all = message.destination
    destination = Destination(usesWideIDs ? all.identifier : all.identifier & 0xff, mode: all.mode)
    redirectionHint = message.redirectionHint
  }
}

extension ReferenceLocalAPIC {
  /// A message reaches the local APIC (SDM volume 3A, section 12.8.1; `__apic_accept_irq`).
  ///
  /// - Returns: Whether the local APIC took it.
  mutating func accept(_ message: BusMessage) -> Bool {
    accept(message.deliveryMode, message.vector, isLevel: message.isLevel, isAsserted: message.isAsserted)
  }

  mutating func accept(_ mode: DeliveryMode?, _ vector: Vector, isLevel: Bool, isAsserted: Bool) -> Bool {
    switch mode {
    case .fixed, .lowestPriority:
      guard !isLevel || isAsserted, isPresent, isSoftwareEnabled else {
        met.insert(isLevel && !isAsserted ? .deassertionIgnored : .softwareDisabledRefuses)
        return false
      }
      met.insert(isLevel ? .levelAccepted : .edgeAccepted)
      if vector.rawValue < 16, !deviations.contains(.illegalVectorsDelivered) {
        record(.receivedIllegalVector)
        return false
      }
      processor.hasEvent = true
      page.put(isLevel, vector, in: .triggerModes)
      page.put(true, vector, in: .interruptRequest)
      return true
    case .nmi:
      acceptNMI()
      return true
    case .initialize:
      // An INIT level de-assert resets nobody (SDM volume 3A, section 12.6.1).
      guard !isLevel || isAsserted else {
        met.insert(.deassertionIgnored)
        return false
      }
      processor.hasEvent = true
      processor.hasINIT = true
      processor.hasSIPI = false
      return true
    case .startUp:
      processor.hasEvent = true
      processor.startUpPage = vector.rawValue
      processor.hasSIPI = true
      return true
    case nil:
      met.insert(.reservedModeAccepted)
      processor.hasEvent = true
      if deviations.contains(.reservedModeTaken) { processor.isWokenByMessage = true }
      return deviations.contains(.reservedModeTaken)
    // A local APIC takes an ExtINT from its own pin alone. The model has no system management mode.
    case .external, .smi: return false
    }
  }

  /// An error for the ESR; it shows after the next write to it (SDM volume 3A, section 12.5.3).
  mutating func record(_ error: ErrorStatus) {
    guard !deviations.contains(.errorsUnrecorded) else { return }
    unseenErrors |= error.rawValue
  }

  /// Errors since the last write to the ESR: in the word after the register, which nothing else uses.
  var unseenErrors: UInt32 {
    get { page.registers[Int(LocalAPICRegister.errorStatus.rawValue / 4) + 1] }
    set { page.registers[Int(LocalAPICRegister.errorStatus.rawValue / 4) + 1] = newValue }
  }
}
