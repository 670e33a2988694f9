/// What kind of PC a machine is.
public enum MachineProfile: Hashable, Sendable {
  /// Lapwing's own: a console, an exit, a reset, and what its guests talk to.
  case standard
  /// The PC that kvm-unit-tests' images look for: what QEMU's `pc` shows them with its test devices.
  case unitTest(UnitTestPlatform)

  /// `standard` or `unittest`, as the program's option `--machine` has it.
  public var name: String {
    switch self {
    case .standard: "standard"
    case .unitTest: "unittest"
    }
  }
}

/// What of the unit tests' PC can be chosen.
public struct UnitTestPlatform: Hashable, Sendable {
  /// How much memory QEMU gives a machine that is not told: 128 MiB.
  public static let defaultMemory: UInt64 = 128 << 20

  /// The largest environment, in bytes: more than the suite's images read.
  public static let environmentLimit = 60 << 10

  /// How many machine-check banks QEMU's processors have.
  static let machineCheckBanks: UInt8 = 10

  /// Whether there is a PIT. Its presence alone keeps some processors from delivering interrupts themselves.
  public var hasPIT = true
  /// A text that the guest finds as its first Multiboot module; empty for none. The suite reads `NAME=value` lines.
  public var environment: [UInt8] = []

  /// With a PIT, without an environment.
  public init() {}
}

extension MachineProfile {
  /// The options of the unit tests' PC, on one.
  var unitTest: UnitTestPlatform? {
    if case .unitTest(let platform) = self { platform } else { nil }
  }
}

extension MachineConfiguration {
  /// Makes it the unit tests' PC, with the 128 MiB and the processor that QEMU gives it unless told otherwise.
  ///
  /// - Parameters:
  ///   - platform: what of it can be chosen.
  ///   - cpu: the processor.
  public mutating func become(_ platform: UnitTestPlatform, cpu: CPUModel) {
    profile = .unitTest(platform)
    memory = UnitTestPlatform.defaultMemory
    self.cpu = cpu
  }
}
