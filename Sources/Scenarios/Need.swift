public import KVM

/// Something that a host must have for a scenario to be run there.
public enum Need: Hashable, Sendable {
  /// A KVM capability.
  case capability(Capability)
  /// A feature that the host survey finds.
  case feature(HostFeature.ID)
  /// Something that only trying tells.
  case trait(HostTrait)
}

extension Need: CustomStringConvertible {
  /// Its name: a feature's id, a trait's, or a capability's, such as `KVM_CAP_SPLIT_IRQCHIP`.
  public var name: String {
    switch self {
    case .capability(let capability): capability.name
    case .feature(let id): id.rawValue
    case .trait(let trait): trait.rawValue
    }
  }

  /// The same.
  public var description: String { name }

  /// The need of that name, or of a short form of it; nil where there is none.
  ///
  /// - Parameter name: `apicv`, `posted`, `tracepoints`, a feature's id, a trait's, or a capability's name.
  public init?(named name: String) {
    let shortForms: [String: HostFeature.ID] = [
      "posted": .postedInterrupts, "device-posted": .devicePostedInterrupts, "tracepoints": .tracefs,
      "ipiv": .ipiVirtualization, "split": .splitIRQChip, "x2apic": .x2APICAPI,
    ]
    if let id = HostFeature.ID(rawValue: name) ?? shortForms[name] {
      self = .feature(id)
    } else if let trait = HostTrait(rawValue: name) {
      self = .trait(trait)
    } else if let capability = Capability.known.first(where: { $0.name == name }) {
      self = Need.capability(capability).canonical
    } else {
      return nil
    }
  }

  /// The same need said in one way: some capabilities are features of a host too.
  var canonical: Need {
    switch self {
    case .capability(.irqChip): .feature(.irqChip)
    case .capability(.splitIRQChip): .feature(.splitIRQChip)
    case .capability(.apicBusCycles): .feature(.apicBusFrequency)
    case .capability(.binaryStatsFD): .feature(.statistics)
    default: self
    }
  }
}
