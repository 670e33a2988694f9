import KVM
import Reports
import TestImages
import VMM

/// A machine with a hostile guest, and what must hold of its run.
struct HostileMachine {
  /// What a guest did to its host that no guest may.
  struct Harm: Error, CustomStringConvertible {
    let description: String
  }

  private let configuration: MachineConfiguration
  private let image: GuestImage
  private let start = ContinuousClock.now

  /// The machine of a seed: of either kind, with either irqchip, with 1 to 4 vCPUs.
  init(seed: UInt64) {
    var random = SeededGenerator(seed: ~seed)
    var configuration = MachineConfiguration()
    if Bool.random(using: &random) { configuration.become(UnitTestPlatform(), cpu: .unitTestDefault) }
    configuration.vcpus = .random(in: 1...4, using: &random)
    configuration.memory = [16 << 20, 64 << 20, 128 << 20].randomElement(using: &random) ?? 64 << 20
    configuration.irqChip = MachineConfiguration.IRQChip.allCases.randomElement(using: &random) ?? .kernel
    if configuration.cpu == nil {
      configuration.apic = MachineConfiguration.APIC.allCases.randomElement(using: &random) ?? .x2APIC
    }
    if Bool.random(using: &random) { configuration.virtio = [.entropy] }
    configuration.start = MachineConfiguration.Start.allCases.randomElement(using: &random) ?? .sipi
    self.configuration = configuration
    let program = HostileProgram(seed: seed, length: .random(in: 1...120, using: &random))
    image = GuestImage(name: "hostile", bytes: ELFImage(code: program.code).bytes)
  }

  /// What it is made of, for a person.
  var description: String {
    "\(configuration.profile.name), \(configuration.vcpus) vCPUs, irqchip \(configuration.irqChip.rawValue), "
      + "\(configuration.apic.rawValue), start \(configuration.start.rawValue)"
  }

  /// Runs the guest to its end.
  ///
  /// - Parameters:
  ///   - system: the host's KVM.
  ///   - limit: how long the guest may run.
  /// - Returns: how it ended, in one word.
  /// - Throws: `Harm`, or what KVM refused.
  func run(on system: System, limit: Duration) throws -> String {
    let machine = try Machine(configuration, image: image, on: system, console: Console(limit: 1 << 16))
    var recorder = RunRecorder(guest: image.name, machine: machine, backEnd: "unknown", programStart: start)
    let begun = ContinuousClock.now
    let outcome = try machine.run(limit: limit) { _ = recorder.take() }
    let length = ContinuousClock.now - begun
    // Far more than a busy host needs: a guest must not hold the end up.
    guard length < limit + .seconds(30) else { throw Harm(description: "the guest held its end up for \(length)") }
    _ = recorder.take()
    try check(try recorder.report(outcome).text(Style()))
    return Self.word(for: outcome)
  }

  private static func word(for outcome: Outcome) -> String {
    switch outcome {
    case .finished: "finish"
    case .debugExit: "debug exit"
    case .shutdown: "shutdown"
    case .reset: "reset"
    case .systemEvent: "system event"
    case .poweredOff: "power-off"
    case .unrunnable: "an exit without an answer"
    case .runFailed: "KVM_RUN"
    case .halted, .timeLimit: "time limit"
    case .stopped: "request"
    }
  }

  /// What a guest wrote down must not steer the terminal that shows it.
  private func check(_ text: String) throws {
    for scalar in text.unicodeScalars where scalar != "\n" && scalar.properties.generalCategory == .control {
      throw Harm(description: "the report has the control character \(scalar.value)")
    }
  }
}
