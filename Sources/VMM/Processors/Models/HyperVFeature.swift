/// A feature of Hyper-V's that a guest may be told of, by the name that QEMU has for it: bits of CPUID's leaves 40000003h
/// and 40000004h (Hypervisor Top-Level Functional Specification, section 2.4).
public struct HyperVFeature: Hashable, Sendable {
  /// Its name, such as `hv-synic`.
  public let name: String
  /// Its bits, by the register that has them.
  let bits: [CPUFeature.Word: UInt32]

  /// The feature of that name; `-` and `_` are the same. Nil for an unknown one.
  public init?(named name: String) {
    let wanted = name.replacing("_", with: "-")
    guard let feature = Self.all.first(where: { $0.name == wanted }) else { return nil }
    self = feature
  }

  private init(
    _ name: String, privileges: [UInt32] = [], ports: [UInt32] = [], features: [UInt32] = [], advice: [UInt32] = []
  ) {
    self.name = name
    let words: [CPUFeature.Word: [UInt32]] = [
      .privileges: privileges, .ports: ports, .features: features, .advice: advice,
    ]
    bits = words.mapValues { $0.reduce(0) { $0 | 1 << $1 } }
  }

  /// All that KVM plays without more of the machine than `HyperVConnections` has. Enlightened VMCSs (`hv-evmcs`) and the
  /// synthetic debugger (`hv-syndbg`) are none of these.
  static let all: [HyperVFeature] = [
    HyperVFeature("hv-relaxed", advice: [5]),
    HyperVFeature("hv-vapic", privileges: [4], advice: [3]),
    HyperVFeature("hv-time", privileges: [1, 9]),
    HyperVFeature("hv-crash", features: [10]),
    HyperVFeature("hv-reset", privileges: [7]),
    HyperVFeature("hv-vpindex", privileges: [6]),
    HyperVFeature("hv-runtime", privileges: [0]),
    HyperVFeature("hv-synic", privileges: [2], ports: [4, 5]),
    HyperVFeature("hv-stimer", privileges: [3]),
    HyperVFeature("hv-stimer-direct", features: [19]),
    HyperVFeature("hv-frequencies", privileges: [11], features: [8]),
    HyperVFeature("hv-reenlightenment", privileges: [13]),
    HyperVFeature("hv-tlbflush", advice: [2, 11]),
    HyperVFeature("hv-ipi", advice: [10, 11]),
    HyperVFeature("hv-avic", advice: [9]),
    HyperVFeature("hv-xmm-input", features: [4]),
  ]

  /// The synthetic interrupt controller, which KVM wants switched on for each vCPU (KVM_CAP_HYPERV_SYNIC).
  static let synIC = "hv-synic"
}

extension CPUFeature.Word {
  fileprivate static let privileges = Self(0x4000_0003, .eax)
  fileprivate static let ports = Self(0x4000_0003, .ebx)
  fileprivate static let features = Self(0x4000_0003, .edx)
  fileprivate static let advice = Self(0x4000_0004, .eax)
  /// What is shown of each register besides named features: AccessHypercallMsrs, without which there is no call at all.
  fileprivate static let unnamed: [Self: UInt32] = [.privileges: 1 << 5]
}

/// The features of Hyper-V's that a guest is told of.
public enum HyperVFeatures: Hashable, Sendable {
  /// Those.
  case some(Set<HyperVFeature>)
  /// All that this host's KVM has: QEMU's `hv-passthrough`.
  case passthrough

  /// No feature: the guest is not told of Hyper-V.
  public static let none = Self.some([])
  /// What `passthrough` is called.
  static let passthroughName = "hv-passthrough"

  /// Whether the guest is not told of Hyper-V.
  public var isEmpty: Bool { self == .none }

  /// Whether the guest is told of a feature, if KVM has it.
  func has(_ name: String) -> Bool {
    switch self {
    case .passthrough: true
    case .some(let features): features.contains { $0.name == name }
    }
  }

  /// The features, by their names.
  var names: [String] {
    switch self {
    case .passthrough: [Self.passthroughName]
    case .some(let features): HyperVFeature.all.filter(features.contains).map(\.name)
    }
  }

  /// With a feature more or less; `hv-passthrough` is all of them or none. Nil for an unknown name.
  func setting(_ name: String, _ isOn: Bool) -> Self? {
    if name.replacing("_", with: "-") == Self.passthroughName { return isOn ? .passthrough : Self.none }
    guard let feature = HyperVFeature(named: name) else { return nil }
    switch self {
    case .passthrough: return isOn ? self : .some(Set(HyperVFeature.all).subtracting([feature]))
    case .some(let features): return .some(isOn ? features.union([feature]) : features.subtracting([feature]))
    }
  }

  /// The bits of a register that belong to the features, of those that KVM has.
  func bits(of word: CPUFeature.Word, supported: UInt32) -> UInt32 {
    let features = HyperVFeature.all.filter { has($0.name) }
    return supported & features.reduce(CPUFeature.Word.unnamed[word] ?? 0) { $0 | ($1.bits[word] ?? 0) }
  }
}
