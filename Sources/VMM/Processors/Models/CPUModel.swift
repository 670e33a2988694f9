import KVM

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
  /// Whether it has Hyper-V's interrupt controller.
  public var hasSynIC: Bool { hyperV.has(HyperVFeature.synIC) }
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

extension CPUModel {
  /// What CPUID tells a guest of this model, on a host whose KVM supports `supported`: never more than that.
  func entries(of supported: [CPUIDEntry]) -> [CPUIDEntry] {
    let isAMD = (vendor ?? Self.vendor(of: supported)) == "AuthenticAMD"
    var entries = supported.filter(keeps).map { adjusted($0) }
    let edx = entries.first { $0.function == 1 }?.edx ?? 0
    for index in entries.indices {
      switch entries[index].function {
      case 0: if let vendor { entries[index].setVendor(vendor) }
      case 0x8000_0000: if let vendor { entries[index].setVendor(isAMD ? vendor : String(repeating: "\0", count: 12)) }
      case 0x8000_0001:
        // AMD's processors repeat there what leaf 1 has (APM volume 3, appendix E.4.2); Intel's do not.
        entries[index].edx &= ~Self.repeated
        if isAMD { entries[index].edx |= edx & Self.repeated }
      default: break
      }
    }
    return entries
  }

  /// The features of leaf 1, EDX, that leaf 80000001h repeats on AMD's processors.
  private static let repeated: UInt32 = 0x0183_f3ff
  /// Leaves that tell of units for which a model needs a feature that none here has: performance counters, SGX, tracing,
  /// tiles.
  private static let units: Set<UInt32> = [0x5, 0xa, 0x12, 0x14, 0x1d, 0x1e, 0x24]

  private static func vendor(of entries: [CPUIDEntry]) -> String? {
    guard let entry = entries.first(where: { $0.function == 0 }) else { return nil }
    let bytes = [entry.ebx, entry.edx, entry.ecx].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the model has the leaf at all.
  private func keeps(_ entry: CPUIDEntry) -> Bool {
    guard let levels = definition.levels else { return true }
    switch entry.function {
    case 0x4000_0000..<0x8000_0000: return true
    case 0x8000_0000...: return entry.function <= levels.extended && (entry.function != 0x8000_000a || has("svm"))
    case 0xd: return has("xsave") && entry.function <= levels.basic
    default: return entry.function <= levels.basic && !Self.units.contains(entry.function)
    }
  }

  private func has(_ name: String) -> Bool { CPUFeature(named: name).map(has) ?? false }

  /// An entry with the model's features, identity and levels.
  private func adjusted(_ entry: CPUIDEntry) -> CPUIDEntry {
    var entry = entry
    let (function, index) = (entry.function, entry.index)
    mask(&entry.eax, CPUFeature.Word(function, .eax, index: index))
    mask(&entry.ebx, CPUFeature.Word(function, .ebx, index: index))
    mask(&entry.ecx, CPUFeature.Word(function, .ecx, index: index))
    mask(&entry.edx, CPUFeature.Word(function, .edx, index: index))
    switch entry.function {
    case 0: if let levels = definition.levels { entry.eax = min(entry.eax, levels.basic) }
    case 1:
      if let signature = definition.signature { entry.eax = signature }
      if has(.hypervisor) { entry.ecx |= CPUFeature.hypervisor.mask }
    case 0x8000_0000: if let levels = definition.levels { entry.eax = min(entry.eax, levels.extended) }
    case 0x8000_0002...0x8000_0004: if let brand = definition.brand { entry.setBrand(brand) }
    case 0x8000_0008:
      if let bits = physicalAddressBits { entry.eax = entry.eax & ~0xff | UInt32(bits) }
    default: break
    }
    return entry
  }

  /// Leaves of a word's features those that the model has. A word without names is not one of features.
  private func mask(_ value: inout UInt32, _ word: CPUFeature.Word) {
    guard CPUFeatureNames.hasNames(word) else { return }
    if let features = definition.features {
      value &= (features[word] ?? 0) | additions.filter { $0.word == word }.reduce(0) { $0 | $1.mask }
    }
    for feature in removals where feature.word == word { value &= ~feature.mask }
  }
}

extension CPUIDEntry {
  /// Twelve characters in EBX, EDX, ECX (SDM volume 2A, CPUID, leaf 0).
  fileprivate mutating func setVendor(_ vendor: String) {
    let words = Self.words(vendor, count: 3)
    (ebx, edx, ecx) = (words[0], words[1], words[2])
  }

  /// Sixteen characters of a brand of 48, by leaf.
  fileprivate mutating func setBrand(_ brand: String) {
    let words = Self.words(brand, count: 12).dropFirst(Int(function - 0x8000_0002) * 4).prefix(4)
    let first = words.startIndex
    (eax, ebx, ecx, edx) = (words[first], words[first + 1], words[first + 2], words[first + 3])
  }

  /// A text as little-endian words, cut or filled up with zeros.
  private static func words(_ text: String, count: Int) -> [UInt32] {
    let bytes = Array(text.utf8.prefix(count * 4))
    return (0..<count).map { word in
      (0..<4).reduce(UInt32(0)) { value, byte in
        let place = word * 4 + byte
        return value | (place < bytes.count ? UInt32(bytes[place]) << UInt32(8 * byte) : 0)
      }
    }
  }
}
