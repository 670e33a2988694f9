public import APIC
public import VMM

/// One thing that interrupt virtualization must do: what the guest is made to do, what happens from
/// outside, and what is expected.
///
/// Its guest is always `agent`, which does on each vCPU what the scenario says, so a scenario is one value in one file.
public struct Scenario: Sendable {
  /// What it does and expects: called with its test context, throws when something is not as expected.
  public typealias Body = @Sendable (TestContext) throws -> Void

  /// Words with dots between them, such as `msi.halted`; unique.
  public let id: String
  /// What holds, in a line.
  public let title: String
  /// The kernel functions, KVM calls and SDM sections that it exercises.
  public let exercises: [String]
  /// The APIC modes that it is run in, each a case of its own.
  public let modes: [APICMode]
  /// The machine that it is run on; the APIC's mode is the case's.
  public let configuration: MachineConfiguration
  /// What the machine's owner does itself.
  public let hooks: MachineHooks
  /// Whether the agent enables the local APICs before the scenario begins, and lets interrupts in.
  public let preparation: Preparation
  /// What a host must have.
  public let needs: [Need]
  /// How its interrupts must get to the guest.
  public let path: PathDemand
  /// Whether its stimulus can be withheld, so that it must fail.
  public let sabotage: Sabotage
  /// What it does and expects.
  public let body: Body

  /// How far the agent goes before a scenario begins.
  public enum Preparation: Hashable, Sendable {
    /// All vCPUs run, their local APICs are enabled, interrupts are let in.
    case ready
    /// Only the bootstrap processor runs, with its local APIC as it is after reset, and interrupts off.
    case untouched
    /// As `ready`, but for the application processors, which wait for INIT and SIPI.
    case bootstrapOnly
  }

  /// What becomes of a scenario when its stimulus is withheld.
  public enum Sabotage: Hashable, Sendable {
    /// It must fail.
    case mustFail
    /// There is no stimulus to withhold, for this reason.
    case impossible(String)
  }

  /// A scenario.
  ///
  /// - Parameters:
  ///   - id: words with dots between them, unique.
  ///   - title: what holds, in a line.
  ///   - modes: the APIC modes that it is run in.
  ///   - vcpus: how many; their APIC ids are 0, 1, 2 and so on unless `configure` says otherwise.
  ///   - preparation: how far the agent goes before the scenario.
  ///   - exercises: kernel functions, KVM calls and SDM sections.
  ///   - needs: what a host must have.
  ///   - path: how its interrupts must get to the guest.
  ///   - sabotage: whether there is a stimulus to withhold.
  ///   - hooks: what the machine's owner does itself.
  ///   - configure: changes the machine's configuration.
  ///   - body: what it does and expects.
  public init(
    _ id: String, _ title: String, modes: [APICMode] = [.xAPIC, .x2APIC], vcpus: Int = 1,
    preparation: Preparation = .ready, exercises: [String], needs: [Need] = [], path: PathDemand = .any,
    sabotage: Sabotage = .mustFail, hooks: MachineHooks = MachineHooks(),
    configure: (inout MachineConfiguration) -> Void = { _ in }, body: @escaping Body
  ) {
    self.id = id
    self.title = title
    self.modes = modes
    self.exercises = exercises
    self.needs = needs
    self.path = path
    self.preparation = preparation
    self.sabotage = sabotage
    self.hooks = hooks
    self.body = body
    var configuration = MachineConfiguration()
    configuration.vcpus = vcpus
    configuration.memory = 16 << 20
    configuration.logCapacity = 4096
    configure(&configuration)
    self.configuration = configuration
  }
}
