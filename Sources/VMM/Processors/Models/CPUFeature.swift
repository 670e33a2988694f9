/// A bit of CPUID that says what a processor can do, by the name that Linux and QEMU have for it.
public struct CPUFeature: Hashable, Sendable {
  /// The register of a leaf's answer.
  public enum Register: Hashable, Sendable {
    /// EAX.
    case eax
    /// EBX.
    case ebx
    /// ECX.
    case ecx
    /// EDX.
    case edx
  }

  /// A register of a leaf's answer: 32 features.
  public struct Word: Hashable, Sendable {
    /// The leaf.
    public let function: UInt32
    /// The subleaf.
    public let index: UInt32
    /// The register.
    public let register: Register

    init(_ function: UInt32, _ register: Register, index: UInt32 = 0) {
      self.function = function
      self.index = index
      self.register = register
    }
  }

  /// Where it is.
  public let word: Word
  /// Which bit of it, 0 to 31.
  public let bit: Int
  /// The bit's value.
  public var mask: UInt32 { 1 << UInt32(bit) }

  /// The feature of that name, such as `x2apic` or `tsc-deadline`; `-` and `_` are the same. Nil for an unknown one.
  public init?(named name: String) {
    let wanted = name.replacing("_", with: "-")
    guard let feature = Self.byName[wanted] else { return nil }
    self = feature
  }

  init(_ word: Word, bit: Int) {
    self.word = word
    self.bit = bit
  }

  /// x2APIC mode (SDM volume 2A, CPUID, leaf 1 ECX).
  static let x2APIC = CPUFeature(.leaf1ECX, bit: 21)
  /// The local APIC timer's TSC-deadline mode.
  static let tscDeadline = CPUFeature(.leaf1ECX, bit: 24)
  /// Runs under a hypervisor.
  static let hypervisor = CPUFeature(.leaf1ECX, bit: 31)

  private static let byName: [String: CPUFeature] = {
    var features: [String: CPUFeature] = [:]
    for (word, names) in CPUFeatureNames.words {
      for (bit, name) in names.split(separator: " ").enumerated() where name != "." {
        for alias in name.split(separator: "|") { features[String(alias)] = CPUFeature(word, bit: bit) }
      }
    }
    return features
  }()
}

extension CPUFeature.Word {
  static let leaf1ECX = Self(1, .ecx)
  static let leaf1EDX = Self(1, .edx)
  static let thermal = Self(6, .eax)
  static let leaf7EBX = Self(7, .ebx)
  static let leaf7ECX = Self(7, .ecx)
  static let leaf7EDX = Self(7, .edx)
  static let leaf7Sub1EAX = Self(7, .eax, index: 1)
  static let leaf7Sub2EDX = Self(7, .edx, index: 2)
  static let xsave = Self(0xd, .eax, index: 1)
  static let extendedECX = Self(0x8000_0001, .ecx)
  static let extendedEDX = Self(0x8000_0001, .edx)
  static let power = Self(0x8000_0007, .edx)
  static let addressSizes = Self(0x8000_0008, .ebx)
  static let svm = Self(0x8000_000a, .edx)
  static let extended21 = Self(0x8000_0021, .eax)
  static let kvm = Self(0x4000_0001, .eax)
}
