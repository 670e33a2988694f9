import APIC
import Evidence
import Synchronization
import Testing
import VMM

@testable import Scenarios

/// What shows that an interrupt did not come, tried on interrupts that do come, and late.
@Suite(.serialized, .enabled(if: ThisHost.hasKVM, "there is no usable /dev/kvm"))
struct FenceTests {
  /// An interrupt that must not come is accepted at once, and taken late: its vCPU is held in a handler of a higher class,
  /// whose gate another thread opens then.
  ///
  /// - Parameters:
  ///   - wait: how long that thread waits.
  ///   - conclude: what a scenario concludes meanwhile.
  private static func verdict(
    openingAfter wait: @escaping @Sendable () -> Void = { Pause.sleep(.milliseconds(20)) },
    _ conclude: @escaping @Sendable (TestContext) throws -> Void
  ) throws -> ScenarioResult.Verdict {
    let late = Scenario("made-up.late", "An interrupt does not come", modes: [.x2APIC], exercises: []) { test in
      let vcpu = test[vcpu: 0]
      try vcpu.handle(0x91, [.holds, .acknowledges])
      for vector: Vector in [0x91, 0x51] {
        try test.signal(MSIMessage(vector: vector, destination: vcpu.destination))
        try test.expectAtLeast(1, of: 0x91, on: 0)
      }
      let isOpen = Atomic<Bool>(false)
      let machine = test.machine
      try test.meanwhile {
        wait()
        if !isOpen.exchange(true, ordering: .acquiringAndReleasing) { try machine.mailbox(of: 0).setGate(open: true) }
      } _: { _ in
        try conclude(test)
      }
    }
    return try ThisHost.run(ScenarioCase(scenario: late, mode: .x2APIC)).verdict
  }

  @Test func `an interrupt that comes after 20 ms is not taken for one that does not come`() throws {
    let verdict = try Self.verdict { test in try test.expectNone(of: 0x51, on: 0) }
    #expect(verdict == .failed("how often vCPU 0 takes 0x51: expected 0, saw 1"))
  }

  @Test func `one more than was expected is found after 20 ms too`() throws {
    let verdict = try Self.verdict { test in
      try test.expect(1, of: 0x91, on: 0)
      try test.expect(0, of: 0x51, on: 0)
    }
    #expect(verdict == .failed("how often vCPU 0 takes 0x51: expected 0, saw 1"))
  }

  @Test func `a silence of 3 ms would have missed it`() throws {
    // However long this thread sleeps on a busy host, the gate opens after it has looked.
    let hasLooked = Atomic<Bool>(false)
    let verdict = try Self.verdict {
      while !hasLooked.load(ordering: .acquiring) { Pause.sleep(.milliseconds(1)) }
    } _: { test in
      defer { hasLooked.store(true, ordering: .releasing) }
      Pause.sleep(.milliseconds(3))
      try test.check("interrupts after 3 ms", test.taken(0x51, on: 0), equals: 0)
    }
    #expect(verdict == .passed)
  }

  @Test func `what waits in a local APIC is not taken for what was not sent`() throws {
    let verdict = try Self.verdict { test in
      try test.expectNone(of: 0x51, on: 0, unfenced: "its handler runs")
    }
    #expect(verdict == .failed("expected that no more of 0x51 is on its way to vCPU 0 (its handler runs)"))
  }

  @Test func `what is taken after all was not held`() throws {
    let verdict = try Self.verdict { test in
      try test[vcpu: 0].openGate()
      try test.expectAtLeast(1, of: 0x51, on: 0)
      try test.signal(MSIMessage(vector: 0x52, destination: test[vcpu: 0].destination))
      try test.expectHeld(0x52, on: 0, by: "nothing")
    }
    #expect(verdict == .failed("expected that 0x52 waits on vCPU 0, held off by nothing"))
  }

  @Test func `a fence is in no log, no evidence and no scene`() throws {
    let fenced = Scenario("made-up.fenced", "Nothing comes", modes: [.x2APIC], exercises: []) { test in
      try test.stimulus {}
      for _ in 0..<3 { try test.expectNone(of: 0x51, on: 0) }
      try test.check("what the log has", try test.interrupts(on: 0), equals: [])
      try test.check("fences", test.taken(TestContext.fenceVector, on: 0), equals: 4)
    }
    let result = try ThisHost.run(ScenarioCase(scenario: fenced, mode: .x2APIC))
    #expect(result.verdict == .failed("fences: expected 4, saw 3"))
    #expect(result.scene?.interrupts == [])
    #expect(result.evidence?.interrupts == [])
  }
}
