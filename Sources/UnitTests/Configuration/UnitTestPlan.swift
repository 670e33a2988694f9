import Support
public import SystemPackage
public import VMM

/// A test, and what becomes of it: a machine that runs it, or the reason why none can.
public struct UnitTestPlan: Sendable {
  /// What becomes of a test.
  public enum Decision: Sendable {
    /// It is run: the image's file, the machine, and how long it may take.
    case run(image: FilePath, MachineConfiguration, limit: Duration)
    /// It is skipped, for this reason.
    case skip(String)
  }

  /// The test.
  public let test: UnitTest
  /// What becomes of it.
  public let decision: Decision

  /// What the plans of a run have in common.
  public struct Context: Sendable {
    /// Where the images are.
    public var directory: FilePath
    /// The environment that images find; see `UnitTestEnvironment`.
    public var environment: [UInt8] = []
    /// How long each test may take, in place of what it says itself.
    public var limit: Duration?
    /// Whether tests that are only for those who ask for them are run.
    public var runsAll = false
    /// The seconds since 1970 that `date +%s` says.
    public var time = 0

    /// Images in a directory.
    public init(directory: FilePath) { self.directory = directory }

    /// The file of a test's image.
    public func image(of test: UnitTest) -> FilePath {
      let file = FilePath(test.file)
      return file.isAbsolute ? file : directory.appending(file.components)
    }
  }

  /// How long a test may take that does not say it: the suite's own default.
  public static let defaultLimit = Duration.seconds(90)

  /// A test that is run, on a machine of the caller's.
  public init(_ test: UnitTest, image: FilePath, _ configuration: MachineConfiguration, limit: Duration) {
    self.test = test
    decision = .run(image: image, configuration, limit: limit)
  }

  /// Decides what becomes of a test.
  public init(_ test: UnitTest, _ context: Context) {
    self.test = test
    do throws(Refusal) {
      decision = try Self.decide(test, context)
    } catch {
      decision = .skip(error.reason)
    }
  }

  private struct Refusal: Error {
    let reason: String
  }

  /// Groups whose tests the suite's scripts drive from outside.
  private static let drivenGroups = ["migration", "panic", "pv-host"]

  private static func decide(_ test: UnitTest, _ context: Context) throws(Refusal) -> Decision {
    if let option = test.unknown.first { throw Refusal(reason: "its option '\(option)' is not known") }
    if !context.runsAll, test.groups.contains("nodefault") {
      throw Refusal(reason: "it is run only when asked for: by its name, its group, or --all")
    }
    if let group = test.groups.first(where: drivenGroups.contains) {
      throw Refusal(reason: "tests of the group '\(group)' are driven from outside, which this machine has no way for")
    }
    if !["", "x86_64"].contains(test.architecture) { throw Refusal(reason: "it is for \(test.architecture)") }
    if !["", "pc"].contains(test.machine) { throw Refusal(reason: "it is for the machine '\(test.machine)'") }
    if !["", "kvm"].contains(test.accelerator) { throw Refusal(reason: "it is for \(test.accelerator), not for kvm") }
    if !test.disabledIf.isEmpty { throw Refusal(reason: "whether it is disabled only a shell can tell: disabled_if") }
    for condition in test.check.split(whereSeparator: \.isWhitespace) { try demand(condition) }
    guard !test.file.isEmpty else { throw Refusal(reason: "it names no file") }
    guard test.file.utf8.count <= HostFile.longestPath else {
      throw Refusal(reason: "the name of its file has \(test.file.utf8.count) bytes")
    }
    let image = context.image(of: test)
    let ownLimit = try limit(test.timeout)
    return .run(image: image, try machine(test, context), limit: context.limit ?? ownLimit)
  }

  /// A file of the host's has to have a value.
  private static func demand(_ condition: Substring) throws(Refusal) {
    let parts = condition.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let value = parts.count > 1 ? String(parts[1]) : ""
    guard HostFile.text(FilePath(String(parts[0])), atMost: 4096) == value else {
      throw Refusal(reason: "\(parts[0]) is not \(value)")
    }
  }

  private static func machine(_ test: UnitTest, _ context: Context) throws(Refusal) -> MachineConfiguration {
    let options: QEMUOptions
    let arguments: [String]
    do {
      options = try QEMUOptions(ShellWords(test.options, time: context.time).words)
      arguments = try ShellWords(test.arguments, time: context.time).words
    } catch let error as ShellWords.Unsupported {
      throw Refusal(reason: "only a shell knows what '\(error.what)' is in its options")
    } catch {
      throw Refusal(reason: (error as? QEMUOptions.Unsupported)?.reason ?? "\(error)")
    }
    var configuration = MachineConfiguration()
    var platform = UnitTestPlatform()
    platform.hasPIT = options.hasPIT
    platform.environment = context.environment
    configuration.become(platform, cpu: options.cpu)
    configuration.memory = options.memory
    configuration.irqChip = options.irqChip
    configuration.arguments = arguments.joined(separator: " ")
    guard let vcpus = Int(test.smp.isEmpty ? "1" : test.smp), vcpus > 0 else {
      throw Refusal(reason: "'\(test.smp)' is no number of vCPUs")
    }
    configuration.vcpus = vcpus
    return configuration
  }

  /// A length of time as timeout(1) reads it.
  private static func limit(_ text: String) throws(Refusal) -> Duration {
    guard !text.isEmpty else { return defaultLimit }
    guard let limit = Duration(written: text) else { throw Refusal(reason: "'\(text)' is no time limit") }
    // Without a limit: a day.
    return limit == .zero ? .seconds(86_400) : limit
  }
}

/// What images find as their environment: lines `NAME=value`, as the suite's own scripts write them.
public enum UnitTestEnvironment {
  /// What the scripts say of a kernel's release, such as `6.18.0-1-amd64`.
  public static func describing(kernel release: String) -> [UInt8] {
    let parts = release.split(separator: "-", maxSplits: 1)
    let numbers = (parts.first ?? "").split(separator: ".").map { $0.prefix { $0.isNumber } }
    var lines = ["TARGET=lapwing", "KERNEL_VERSION_STRING=\(release)"]
    for (name, number) in zip(["KERNEL_VERSION", "KERNEL_PATCHLEVEL", "KERNEL_SUBLEVEL"], numbers) {
      lines.append("\(name)=\(number)")
    }
    lines.append("KERNEL_EXTRAVERSION=\(parts.count > 1 ? parts[1] : "")")
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }
}

/// What options of QEMU's mean for a machine of Lapwing's.
struct QEMUOptions {
  /// An option, or a value of one, that this machine cannot have.
  struct Unsupported: Error, Hashable {
    let reason: String
  }

  var cpu = CPUModel.unitTestDefault
  var memory = UnitTestPlatform.defaultMemory
  var hasPIT = true
  var irqChip = MachineConfiguration.IRQChip.kernel

  init(_ words: [String]) throws(Unsupported) {
    var rest = words[...]
    while let option = rest.popFirst() {
      // QEMU takes one dash or two.
      switch option.hasPrefix("--") ? String(option.dropFirst()) : option {
      case "-enable-kvm": break
      case "-cpu": try setCPU(try Self.value(of: option, &rest))
      // There wherever the guest is told of Hyper-V's interrupt controller.
      case "-device" where rest.first == "hyperv-testdev": rest.removeFirst()
      case "-m": memory = try Self.size(try Self.value(of: option, &rest))
      case "-machine", "-M": try setMachine(try Self.value(of: option, &rest))
      case "-accel":
        let value = try Self.value(of: option, &rest)
        guard value == "kvm" || value.hasPrefix("kvm,") else { throw Self.unsupported("-accel \(value)") }
      case let other: throw Self.unsupported(([other] + rest.prefix(1)).joined(separator: " "))
      }
    }
  }

  private static func unsupported(_ what: String) -> Unsupported {
    Unsupported(reason: "this machine has no '\(what)'")
  }

  private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(Unsupported) -> String {
    guard let value = rest.popFirst() else { throw Unsupported(reason: "the option '\(option)' has no value") }
    return value
  }

  private mutating func setCPU(_ text: String) throws(Unsupported) {
    do throws(CPUModel.ParsingError) {
      cpu = try CPUModel(text)
    } catch {
      throw Unsupported(reason: error.description)
    }
  }

  /// Mebibytes, or a number with a unit.
  private static func size(_ text: String) throws(Unsupported) -> UInt64 {
    guard let size = ByteSize(text, defaultUnit: .mebibyte) else {
      throw Unsupported(reason: "'\(text)' is no size of memory")
    }
    return size.bytes
  }

  private mutating func setMachine(_ text: String) throws(Unsupported) {
    for part in text.split(separator: ",") {
      switch part {
      case "pc", "type=pc", "accel=kvm", "pit=on", "kernel_irqchip=on", "kernel-irqchip=on", "vmport=off", "usb=off",
        "smm=off", "hpet=off":
        break
      case "pit=off": hasPIT = false
      case "kernel_irqchip=split", "kernel-irqchip=split": irqChip = .split
      default: throw Self.unsupported("-machine \(part)")
      }
    }
  }
}
