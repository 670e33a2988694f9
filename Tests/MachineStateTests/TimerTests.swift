import APIC
import BuiltInGuests
import KVM
import MachineState
import Testing
import VMM

/// Timers in made-up states: what becomes of them is seen without a guest, as `completePendingWork` takes a vCPU through KVM's loop and
/// not into the guest.
@Suite("Timers over a restore", Host.canRun) struct TimerTests {
  private static let vector: Vector = 0x77

  /// The state of a machine whose guest is ready, and its memory.
  private func readyState(
    _ apic: MachineConfiguration.APIC
  ) throws -> (MachineState, GuestMemory) {
    var configuration = MachineConfiguration()
    configuration.apic = apic
    let agent = try #require(BuiltInGuest.named("agent")).image
    configuration.arguments = "\(apic.rawValue) start"
    let machine = try Machine(configuration, image: agent, on: try #require(Host.system), console: Console())
    let running = try machine.start()
    let deadline = ContinuousClock.now + .seconds(20)
    while try machine.mailbox(of: 0).starts == 0, ContinuousClock.now < deadline {
      machine.stop.wait(atMost: .milliseconds(1))
    }
    try machine.pause()
    let state = try machine.capture()
    _ = running.finish()
    return (state, machine.memory)
  }

  /// A machine with one timer.
  private func machine(
    _ apic: MachineConfiguration.APIC, _ mode: TimerMode, initial: UInt32 = 0, current: UInt32 = 0,
    deadline: UInt64? = nil
  ) throws -> Machine {
    var (state, memory) = try readyState(apic)
    state.vcpus[0].localAPIC.spurious.isSoftwareEnabled = true
    state.vcpus[0].localAPIC.setLVT(.timer, to: .timer(Self.vector, mode: mode))
    state.vcpus[0].localAPIC.divide = .by16
    state.vcpus[0].localAPIC.initialCount = initial
    state.vcpus[0].localAPIC.currentCount = current
    state.vcpus[0].msrs.removeAll { $0.index == MSR.tscDeadline }
    if let deadline { state.vcpus[0].msrs.append(MSREntry(index: MSR.tscDeadline, value: deadline)) }
    return try Machine(restoring: state, memory: memory, on: try #require(Host.system), console: Console())
  }

  private static var hostSetsTSC: Bool {
    get throws {
      let vcpu = try #require(Host.system).createVM().createVCPU(id: 0)
      try vcpu.setTSCOffset(12345)
      return try vcpu.tscOffset() == 12345
    }
  }

  private func isRequested(_ machine: Machine) throws -> Bool {
    try machine.completePendingWork(0)
    return try machine.vcpus[0].localAPIC().interruptRequest.contains(Self.vector)
  }

  /// Whether it is requested long before a count of 4,000,000,000 is over.
  private func untilRequested(_ machine: Machine) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline { if try isRequested(machine) { return true } }
    return false
  }

  @Test(arguments: MachineConfiguration.APIC.allCases)
  func `a one-shot timer that has fired does not fire again`(_ apic: MachineConfiguration.APIC) throws {
    let machine = try machine(apic, .oneShot, initial: 1000, current: 0)
    let again = try machine.capture()
    #expect(try !isRequested(machine))
    let timer = again.vcpus[0].localAPIC
    #expect(timer.lvt(.timer) == .timer(Self.vector, mode: .oneShot))
    #expect(timer.currentCount == 0)
    #expect(timer.initialCount == (apic == .x2APIC ? 1000 : 0))
  }

  @Test(arguments: MachineConfiguration.APIC.allCases)
  func `a one-shot timer fires after what was left of it`(_ apic: MachineConfiguration.APIC) throws {
    // 64 seconds of the APIC bus, of which one is left: it is not over at once, and long before the whole is.
    let machine = try machine(apic, .oneShot, initial: 4_000_000_000, current: 62_500_000)
    let left = try machine.capture().vcpus[0].localAPIC.currentCount
    #expect(left <= 62_500_000)
    #expect(try untilRequested(machine))
  }

  @Test func `a periodic timer keeps its phase and its period`() throws {
    let machine = try machine(.x2APIC, .periodic, initial: 4_000_000_000, current: 3_125_000)
    #expect(try untilRequested(machine))
    let timer = try machine.capture().vcpus[0].localAPIC
    #expect(timer.initialCount == 4_000_000_000)
    #expect(timer.currentCount > 3_125_000)
  }

  @Test func `a deadline that is overdue fires at once, and one that is not stays`() throws {
    let overdue = try machine(.x2APIC, .tscDeadline, deadline: 1)
    #expect(try untilRequested(overdue))
    #expect(try overdue.capture().vcpus[0].msr(MSR.tscDeadline) == 0)
    let far = try machine(.x2APIC, .tscDeadline, deadline: 1 << 62)
    #expect(try !isRequested(far))
    #expect(try far.capture().vcpus[0].msr(MSR.tscDeadline) == 1 << 62)
  }

  @Test func `a timer that has expired and is not yet requested is requested in the state`() throws {
    // A millionth of a second: it expires before anybody can look, and KVM puts that into the IRR only when the vCPU runs.
    let machine = try machine(.x2APIC, .oneShot, initial: 2_000_000, current: 1000)
    let deadline = ContinuousClock.now + .seconds(20)
    while try machine.vcpus[0].localAPIC().currentCount > 0, ContinuousClock.now < deadline {}
    let state = try machine.capture()
    #expect(state.vcpus[0].localAPIC.interruptRequest.contains(Self.vector))
    #expect(state.vcpus[0].localAPIC.currentCount == 0)
  }

  @Test func `guest time stands still between a capture and a restore`() throws {
    let (state, memory) = try readyState(.x2APIC)
    let before = try #require(state.vcpus[0].tscOffset) &+ state.time.hostTSC
    let later = ContinuousClock.now + .milliseconds(400)
    while ContinuousClock.now < later {}
    let start = ContinuousClock.now
    let restored = try Machine(restoring: state, memory: memory, on: try #require(Host.system), console: Console())
    let again = try restored.capture()
    let after = try #require(again.vcpus[0].tscOffset) &+ again.time.hostTSC
    #expect(after >= before)
    // More than 400 ms have passed on the host; the guest has seen the restore alone, however long that took.
    let restoring = (ContinuousClock.now - start) / .milliseconds(1)
    if try Self.hostSetsTSC {
      #expect(Double(after - before) < Double(state.vcpus[0].tscKHz) * (restoring + 100))
    } else {
      print("SKIPPED: this host's KVM takes a TSC offset and does not heed it: the guest's TSC is the host's")
    }
    #expect(Double(again.time.clock.nanoseconds - state.time.clock.nanoseconds) < (restoring + 100) * 1e6)
  }
}
