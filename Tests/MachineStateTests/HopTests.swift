import APIC
import BuiltInGuests
import KVM
import MachineState
import Testing
import VMM

/// Whether tests with guests can run here.
enum Host {
  static let system = try? KVM.open()
  static let canRun: ConditionTrait = .enabled(
    if: system != nil, "SKIPPED: /dev/kvm cannot be opened: \(reason)")
  private static var reason: String {
    do {
      _ = try KVM.open()
      return ""
    } catch {
      return "\(error)"
    }
  }
}

/// What a run of a machine, or of a chain of machines, came to.
struct HopResult {
  var outcome: Outcome
  var hops: Int
  var records: [GuestRecord]
  var failedChecks: [String] {
    records.compactMap { if case .check(let label, false, let saw) = $0.event { "\(label), saw \(saw)" } else { nil } }
  }
  var checks: Int { records.count { if case .check = $0.event { true } else { false } } }
}

/// Runs a guest to its end on one machine after another.
func hop(
  _ guest: String, _ configuration: MachineConfiguration, every period: Duration, atMost limit: Int = .max,
  check: (MachineState) throws -> Void = { _ in }
) throws -> HopResult {
  let system = try #require(Host.system)
  let image = try #require(BuiltInGuest.named(guest)).image
  var machine = try Machine(configuration, image: image, on: system, console: Console())
  let deadline = ContinuousClock.now + .seconds(60)
  var hops = 0
  while true {
    let running = try machine.start()
    if hops < limit {
      _ = machine.stop.wait(atMost: period)
    } else {
      while !machine.stop.wait(atMost: .milliseconds(200)), ContinuousClock.now < deadline {}
    }
    if machine.stop.reason != nil || ContinuousClock.now > deadline {
      let outcome = running.finish()
      return HopResult(outcome: outcome, hops: hops, records: machine.log.next())
    }
    try machine.pause()
    if machine.stop.reason != nil {
      let outcome = running.finish()
      return HopResult(outcome: outcome, hops: hops, records: machine.log.next())
    }
    let state = try machine.capture()
    _ = running.finish()
    try check(state)
    machine = try Machine(restoring: state, memory: machine.memory, on: system, console: Console())
    hops += 1
  }
}

@Suite("Hops from machine to machine", Host.canRun) struct HopTests {
  @Test(arguments: ["hello", "ipi", "ioapic", "msi", "timer", "virtio"], [200, 1000, 3000, 7000])
  func `a guest that hops finishes with all its checks held`(_ guest: String, _ microseconds: Int) throws {
    var configuration = MachineConfiguration()
    configuration.vcpus = 2
    if guest == "virtio" { configuration.virtio = [.entropy] }
    let result = try hop(guest, configuration, every: .microseconds(microseconds))
    #expect(result.outcome.isSuccess, "\(result.outcome) after \(result.hops) hops")
    #expect(result.failedChecks.isEmpty, "after \(result.hops) hops")
    #expect(guest == "hello" || result.checks > 1)
  }

  @Test(arguments: MachineConfiguration.IRQChip.allCases, MachineConfiguration.APIC.allCases)
  func `a guest hops with either irqchip and in either mode`(
    _ irqChip: MachineConfiguration.IRQChip, _ apic: MachineConfiguration.APIC
  ) throws {
    for start in MachineConfiguration.Start.allCases {
      var configuration = MachineConfiguration()
      configuration.vcpus = 2
      configuration.irqChip = irqChip
      configuration.apic = apic
      configuration.start = start
      for guest in ["ipi", "ioapic", "timer", "msi"] {
        let result = try hop(guest, configuration, every: .milliseconds(2))
        #expect(result.outcome.isSuccess, "\(guest), \(start): \(result.outcome) after \(result.hops) hops")
        #expect(result.failedChecks.isEmpty, "\(guest), \(start) after \(result.hops) hops")
      }
    }
  }

  @Test(arguments: MachineConfiguration.IRQChip.allCases, MachineConfiguration.APIC.allCases)
  func `a state that is restored and taken again is the same, but for what time moves`(
    _ irqChip: MachineConfiguration.IRQChip, _ apic: MachineConfiguration.APIC
  ) throws {
    let system = try #require(Host.system)
    var configuration = MachineConfiguration()
    configuration.vcpus = 2
    configuration.irqChip = irqChip
    configuration.apic = apic
    // Not the timer guest: a timer that expires in between is no change that can be named beforehand.
    for guest in ["agent", "ipi", "ioapic"] {
      let image = try #require(BuiltInGuest.named(guest)).image
      let machine = try Machine(configuration, image: image, on: system, console: Console())
      let running = try machine.start()
      _ = machine.stop.wait(atMost: .milliseconds(30))
      try machine.pause()
      let state = try machine.capture()
      _ = running.finish()
      let restored = try Machine(restoring: state, memory: machine.memory, on: system, console: Console())
      let again = try restored.capture()
      #expect(state.differences(to: again).filter { !$0.isMoving } == [], "\(guest)")
    }
  }

  @Test(arguments: ["ipi", "ioapic", "msi", "timer", "virtio"], MachineConfiguration.IRQChip.allCases)
  func `a guest whose state is taken again and again while it runs finishes with all its checks held`(
    _ guest: String, _ irqChip: MachineConfiguration.IRQChip
  ) throws {
    var configuration = MachineConfiguration()
    configuration.vcpus = 2
    configuration.irqChip = irqChip
    if guest == "virtio" { configuration.virtio = [.entropy] }
    let image = try #require(BuiltInGuest.named(guest)).image
    let machine = try Machine(configuration, image: image, on: try #require(Host.system), console: Console())
    let running = try machine.start()
    let deadline = ContinuousClock.now + .seconds(60)
    var last: Snapshot?
    var snapshots = 0
    while machine.stop.reason == nil, ContinuousClock.now < deadline {
      let snapshot = try machine.snapshot(guest: guest)
      snapshots += 1
      if machine.stop.reason == nil { last = snapshot }
      machine.stop.wait(atMost: .milliseconds(1))
    }
    let outcome = running.finish()
    let records = machine.log.next()
    #expect(outcome.isSuccess, "\(outcome) after \(snapshots) snapshots")
    #expect(records.allSatisfy { if case .check(_, let holds, _) = $0.event { holds } else { true } })
    // And the last of them goes on as well. A guest may have ended before the first.
    guard let last else { return }
    let again = try Machine(restoring: last, on: try #require(Host.system), console: Console())
    #expect(try again.run(limit: .seconds(60)).isSuccess)
  }
}
