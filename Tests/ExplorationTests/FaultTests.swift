import KVM
import ReferenceModel
import Testing

@testable import Exploration

/// The proof that faults are found, without any kernel.
struct FaultTests {
  static let clock = HistoryBench.clock()

  static func bench(_ fault: Fault, deviations: Deviations = .kvm) -> HistoryBench {
    HistoryBench(deviations: deviations, clock: clock) { machine throws(KVMError) in
      FaultySubject(
        ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm), fault: fault, clock: clock)
    }
  }

  /// Explores so many histories, or until something is found.
  static func explore(
    _ bench: HistoryBench, seed: UInt64, histories: Int, families: Set<OperationFamily> = []
  ) throws(KVMError) -> HistoryFinding? {
    for number in 0..<histories {
      var generator = HistoryGenerator(
        seed: seed &+ UInt64(number) &* 0x9e37, families: families,
        omitted: families.isEmpty ? ["concurrent.part"] : [], hasGuest: true)
      var history = History(machine: generator.machine())
      for _ in 0..<1000 { history.steps.append(generator.step()) }
      if let finding = try bench.run(history) { return finding }
    }
    return nil
  }

  @Test func `there are at least thirty faults, each with a name of its own`() {
    #expect(Fault.all.count >= 30)
    #expect(Set(Fault.all.map(\.name)).count == Fault.all.count)
  }

  @Test func `a vCPU may look for interrupts at any time, and take what it finds`() throws {
    // It looks at every entry, and the kernel that the model stands for only after an event.
    let eager = HistoryBench(deviations: .kvm, clock: Self.clock) { machine throws(KVMError) in
      FaultySubject(
        ReferenceMachine.Configuration(
          vcpus: machine.vcpus, deviations: .kvm.without(.interruptsSoughtOnEvent)),
        fault: .none, clock: Self.clock)
    }
    let finding = try Self.explore(eager, seed: 1, histories: 40)
    let steps = finding?.history.steps.suffix(5).map(\.text) ?? []
    #expect(finding?.signature == nil, "\(steps) \(finding?.mismatches ?? [])")
  }

  @Test(arguments: Fault.all.filter { $0.tamperBetween == nil }.map(\.name))
  func `each fault is found, and shrunk to a dozen steps that show it again`(name: String) throws {
    let fault = try #require(Fault.named(name))
    let bench = Self.bench(fault)
    let finding = try #require(try Self.explore(bench, seed: 1, histories: 200))
    let shrunk = try Shrinker(bench) { false }.shrink(finding)
    #expect(shrunk.history.steps.count <= 12)
    // A thread that is held up widens what a count may be, and hides what is wrong with it.
    #expect(try (0..<10).contains { _ in try bench.run(shrunk.history) != nil })
    // What is left is needed: without its last step there is nothing to see.
    var shorter = shrunk.history
    shorter.steps.removeLast()
    #expect(try bench.run(shorter) == nil)
  }

  @Test func `a model without a fault shows no difference, and one without a deviation shows that`() throws {
    #expect(try Self.explore(Self.bench(.none), seed: 2, histories: 40) == nil)
    let needsNoScan = try HistoryFile(reading: Array(Self.scanWouldShow.utf8))
    #expect(try Self.bench(.none).run(needsNoScan.history) == nil)
    let without = Self.bench(.none, deviations: Deviations.kvm.without(.lowestPriorityByVector))
    let finding = try #require(try Self.explore(without, seed: 3, histories: 200))
    #expect(!finding.mismatches.isEmpty)
  }

  /// A history whose EOI ends a pin's service only where the vCPU has learnt of the pin's new trigger mode meanwhile.
  private static let scanWouldShow = """
    {"schema":"lapwing.history/1","machine":{"vcpus":1,"startsInX2APIC":true},"steps":[
    {"do":"ioapic.entry","pin":"0x14","vector":"0x50","destination":"0x1","logical":"0x0","mode":"0x0","level":"0x1","flags":"0x0"},
    {"do":"guest.ipi","vcpu":"0x0","vector":"0x50","destination":"0x0","logical":"0x0","shorthand":"0x0"},
    {"do":"guest.eoi","vcpu":"0x0"},
    {"do":"ioapic.entry","pin":"0x14","vector":"0x50","destination":"0x0","logical":"0x0","mode":"0x0","level":"0x0","flags":"0x4000"},
    {"do":"msi.send","vector":"0x50","destination":"0x1","logical":"0x1","mode":"0x0","level":"0x1","asserted":"0x1","hint":"0x0"},
    {"do":"lapic.vector","vcpu":"0x0","set":"0x100","vector":"0x50","in":"0x1"},
    {"do":"register.eoi","vcpu":"0x0"}]}
    """

  @Test func `the same seed makes the same history`() {
    var first = HistoryGenerator(seed: 7, hasGuest: true)
    var second = HistoryGenerator(seed: 7, hasGuest: true)
    #expect(first.machine() == second.machine())
    for _ in 0..<500 { #expect(first.step().text == second.step().text) }
  }
}
