import Glibc
import KVM
import ReferenceModel
import Synchronization
import SystemPackage
import Testing

@testable import Exploration

/// Calls that fail: what says something of a KVM, and what of its host.
struct FailingCallTests {
  /// A good machine whose third step fails.
  private final class FailingSubject: ModelSubject {
    private let error: KVMError
    private var steps = 0

    init(_ machine: HistoryMachine, _ error: KVMError) {
      self.error = error
      super.init(ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm))
    }

    override func perform(_ step: Step) throws(KVMError) -> StepAnswer {
      steps += 1
      guard steps < 3 else { throw error }
      return try super.perform(step)
    }
  }

  private func bench(_ error: KVMError) -> HistoryBench {
    HistoryBench(deviations: .kvm, clock: FaultTests.clock) { FailingSubject($0, error) }
  }

  private func result(_ error: KVMError) -> Explorer.Result {
    var options = Explorer.Options(seed: 1)
    options.findings = 1
    options.families = [.msi]
    let explorer = Explorer(bench(error), options)
    explorer.work()
    return explorer.result
  }

  @Test func `a call that fails is a difference, with what it answered, and exploring goes on`() throws {
    let error = KVMError(call: .run, errno: .ioError, detail: "an exit that must not be")
    let result = result(error)
    #expect(result.failure == nil)
    let finding = try #require(result.findings.first?.finding)
    #expect(finding.mismatches == [StateMismatch("KVM_RUN", "an answer", error)])
    #expect(finding.history.steps.count == 3)
    #expect(finding.rate == (10, 10))
    let told = try bench(error).tell(finding.history)
    #expect(told.map(\.mismatches.count) == [0, 0, 1])
  }

  @Test(arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable])
  func `a host that has run out of something is no difference, and ends the exploring`(errno: Errno) {
    let error = KVMError(call: .run, errno: errno)
    let result = result(error)
    #expect(result.failure == error)
    #expect(result.findings.isEmpty)
    let history = History(machine: HistoryMachine(vcpus: 1, startsInX2APIC: true), steps: Self.steps)
    #expect(throws: error) { _ = try bench(error).run(history) }
    #expect(throws: error) { _ = try bench(error).tell(history) }
  }

  private final class Gate: Sendable {
    let isOpen = Atomic<Bool>(false)
  }

  /// A good machine whose third step does not come back before it is let go.
  private final class HangingSubject: ModelSubject {
    private let gate: Gate
    private var steps = 0

    init(_ machine: HistoryMachine, _ gate: Gate) {
      self.gate = gate
      super.init(ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm))
    }

    override func perform(_ step: Step) throws(KVMError) -> StepAnswer {
      steps += 1
      while steps == 3, !gate.isOpen.load(ordering: .acquiring) { usleep(1000) }
      return try super.perform(step)
    }
  }

  @Test func `a step that does not come back is told, with its history`() async throws {
    let gate = Gate()
    var options = Explorer.Options(seed: 1)
    options.families = [.msi]
    let bench = HistoryBench(deviations: .kvm, clock: FaultTests.clock) { HangingSubject($0, gate) }
    let explorer = Explorer(bench, options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { explorer.work() }
      group.addTask {
        defer { gate.isOpen.store(true, ordering: .releasing) }
        let deadline = ContinuousClock.now + .seconds(60)
        while !explorer.abandon(after: 1_000_000) {
          try #require(ContinuousClock.now < deadline)
          usleep(1000)
        }
      }
      try await group.waitForAll()
    }
    let finding = try #require(explorer.result.findings.first?.finding)
    // On a busy machine a step before may seem not to come back.
    var generator = HistoryGenerator(seed: 1, families: [.msi], hasGuest: false)
    #expect(finding.history.machine == generator.machine())
    #expect(finding.history.steps.map(\.text) == (0..<finding.history.steps.count).map { _ in generator.step().text })
    #expect(finding.mismatches.first?.place == "the call")
  }

  private static let steps: [Step] = {
    var generator = HistoryGenerator(seed: 1, families: [.msi], hasGuest: false)
    return (0..<3).map { _ in generator.step() }
  }()
}
