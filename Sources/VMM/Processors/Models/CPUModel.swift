/// The processor that a guest sees: a model by name, and what is added to it or taken away, as QEMU's `-cpu` has it.
public struct CPUModel: Hashable, Sendable {
  /// The model's name.
  public let name: String
  /// What was asked for beyond the model, such as `+umip`.
  public private(set) var additions: Set<CPUFeature> = []
  /// What was taken away.
  public private(set) var removals: Set<CPUFeature> = []
  /// The vendor's twelve characters; nil for the host's.
  public private(set) var vendor: String?
  /// What of Hyper-V the guest is told of.
  public private(set) var hyperV = HyperVFeatures.none
  /// How many bits physical addresses have; nil for as many as the host's.
  public private(set) var physicalAddressBits: Int?

  let definition: CPUDefinition

  /// What is wrong with a model's text.
  public enum ParsingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such model.
    case unknownModel(String)
    /// There is no such feature, nor an option of that name.
    case unknownFeature(String)
    /// An option has a value that it cannot have.
    case badValue(option: String, value: String)

    /// What is wrong, for a person.
    public var description: String {
      switch self {
      case .unknownModel(let name):
        "there is no CPU model '\(name)'; there are \(CPUModel.names.joined(separator: ", "))"
      case .unknownFeature(let name): "there is no CPU feature '\(name)'"
      case .badValue(let option, let value): "the CPU option '\(option)' cannot be '\(value)'"
      }
    }
  }

  /// The models that there are.
  public static var names: [String] { CPUDefinition.all.map(\.name) }

  /// A model as QEMU's users write it: `qemu64,+x2apic,-tsc-deadline,vendor=GenuineIntel`.
  ///
  /// After the name come `+feature`, `-feature`, `feature`, `feature=on` and `feature=off`, and the options `vendor`,
  /// `phys-bits`, `host-phys-bits`, `migratable`, `enforce` and `check`; the last three change nothing here. `hv-synic` and its like are
  /// features of Hyper-V's, `hv-passthrough` is all of them that this host's KVM has.
  ///
  /// - Throws: `ParsingError` for a name that is not known.
  public init(_ text: String) throws(ParsingError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let wanted = parts.first ?? ""
    guard let definition = CPUDefinition.all.first(where: { $0.name == wanted }) else { throw .unknownModel(wanted) }
    self.definition = definition
    name = definition.name
    vendor = definition.vendor
    for part in parts.dropFirst() { try apply(part) }
  }

  /// `qemu64`: what QEMU's `pc` has unless told otherwise.
  public static let unitTestDefault = CPUModel(CPUDefinition.qemu64)

  private init(_ definition: CPUDefinition) {
    self.definition = definition
    name = definition.name
    vendor = definition.vendor
  }

  private mutating func apply(_ part: String) throws(ParsingError) {
    if part.hasPrefix("+") { return try set(String(part.dropFirst()), true) }
    if part.hasPrefix("-") { return try set(String(part.dropFirst()), false) }
    let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let value = pair.count > 1 ? pair[1] : "on"
    switch pair[0] {
    case "vendor":
      guard value.utf8.count == 12, value.allSatisfy(\.isASCII) else { throw .badValue(option: "vendor", value: value) }
      vendor = value
    case "phys-bits":
      guard let bits = Int(value), (32...52).contains(bits) else { throw .badValue(option: "phys-bits", value: value) }
      physicalAddressBits = bits
    case "host-phys-bits":
      if try isOn(pair[0], value) { physicalAddressBits = nil }
    case "migratable", "enforce", "check": _ = try isOn(pair[0], value)
    case let name: try set(name, try isOn(name, value))
    }
  }

  private func isOn(_ option: String, _ value: String) throws(ParsingError) -> Bool {
    switch value {
    case "on", "yes", "true": true
    case "off", "no", "false": false
    default: throw .badValue(option: option, value: value)
    }
  }

  private mutating func set(_ name: String, _ isOn: Bool) throws(ParsingError) {
    if let features = hyperV.setting(name, isOn) {
      hyperV = features
      return
    }
    guard let feature = CPUFeature(named: name) else { throw .unknownFeature(name) }
    if isOn {
      additions.insert(feature)
      removals.remove(feature)
    } else {
      removals.insert(feature)
      additions.remove(feature)
    }
  }

  /// Whether a guest is to see a feature, if KVM has it.
  func has(_ feature: CPUFeature) -> Bool {
    additions.contains(feature) || (!removals.contains(feature) && definition.has(feature))
  }
}

extension CPUModel: CustomStringConvertible {
  /// The model as a text that is read as this model again, such as `qemu64,+umip,-x2apic`: its name, the features that are
  /// added and those that are taken away, each in CPUID's order, and the options that say anything.
  public var description: String {
    var parts = [name]
    parts += additions.sortedNames.map { "+\($0)" }
    parts += removals.sortedNames.map { "-\($0)" }
    parts += hyperV.names
    if let vendor, vendor != definition.vendor { parts.append("vendor=\(vendor)") }
    if let physicalAddressBits { parts.append("phys-bits=\(physicalAddressBits)") }
    return parts.joined(separator: ",")
  }
}

extension Set<CPUFeature> {
  /// The features' names in the order of `CPUFeatureNames`, of several names the first.
  fileprivate var sortedNames: [String] {
    CPUFeatureNames.words.flatMap { word, names in
      names.split(separator: " ").enumerated().compactMap { bit, name in
        contains(CPUFeature(word, bit: bit)) ? name.split(separator: "|").first.map(String.init) : nil
      }
    }
  }
}
