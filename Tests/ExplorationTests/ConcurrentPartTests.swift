import JSON
import KVM
import ReferenceModel
import Testing

@testable import Exploration

/// Steps of several actors at the same time, without any kernel.
struct ConcurrentPartTests {
  static func step(_ name: String, _ arguments: UInt64...) throws -> Step {
    let number = try #require(OperationKind.numbers[name])
    var own = StepArguments(repeating: 0)
    for (index, argument) in arguments.enumerated() { own[index] = argument }
    return Step(operation: number, arguments: own)
  }

  /// A machine that does what actors do in one order or another, as a good kernel does.
  private static func bench(seed: UInt64) -> HistoryBench {
    HistoryBench(deviations: .kvm, clock: FaultTests.clock) { machine throws(KVMError) in
      let subject = FaultySubject(
        ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm), fault: .none, clock: FaultTests.clock)
      subject.schedule = .random(HistoryRandom(seed: seed))
      return subject
    }
  }

  @Test(arguments: [UInt64](1...4), [false, true])
  func `in whatever order a good machine does it, some order explains it`(seed: UInt64, hasGuest: Bool) throws {
    let families: Set<OperationFamily> = [.msi, .line, .routes, .ioapic, .ipi, .register, .concurrent]
    for number in 0..<4 {
      var generator = HistoryGenerator(
        seed: seed &* 1000 &+ UInt64(number), families: families.union(hasGuest ? [.guest] : [.event]),
        hasGuest: hasGuest)
      var history = History(machine: generator.machine())
      for _ in 0..<200 { history.steps.append(generator.step()) }
      let finding = try Self.bench(seed: seed).run(history)
      #expect(finding == nil, "\(finding?.history.steps.suffix(3).map(\.text) ?? []) \(finding?.mismatches ?? [])")
    }
  }

  @Test func `what no order leads to is told with what orders lead to`() throws {
    let raise = try Self.step("line.set", 20, 1)
    let fault = try #require(Fault.named("edge-counted-by-none"))
    let history = History(
      machine: HistoryMachine(vcpus: 1, startsInX2APIC: true), steps: [Step(concurrently: [[raise], [raise]])])
    let finding = try #require(try FaultTests.bench(fault).run(history))
    #expect(finding.signature == "concurrent.part: answers")
    #expect(
      finding.mismatches == [
        StateMismatch("answers", "coalesced | ignored, or ignored | coalesced", "coalesced | coalesced")
      ])
    #expect(try FaultTests.bench(.none).run(history) == nil)
  }

  @Test func `one that came in between is needed to explain a message that reached two vCPUs in different order`()
    throws
  {
    // A level and an edge of one vector to both vCPUs: whichever comes last decides each TMR by itself.
    let level = try Self.step("ipi.send", 0, 0x40, 0xffff_ffff, 0, 0, 0, 0xc000)
    let edge = try Self.step("msi.send", 0x40, 0xff, 0, 0, 0, 1, 0)
    let history = History(
      machine: HistoryMachine(vcpus: 2, startsInX2APIC: true), steps: [Step(concurrently: [[level], [edge]])])
    for seed in 0..<20 { #expect(try Self.bench(seed: UInt64(seed)).run(history) == nil) }
  }

  @Test
  func `vCPUs that run at the same time each take their own, and a message that meets one comes before or behind`()
    throws
  {
    let first = try Self.step("guest.take", 0)
    let second = try Self.step("guest.take", 1)
    let send = try Self.step("msi.send", 0x40, 0xff, 0, 0, 0, 1, 0)
    let history = History(
      machine: HistoryMachine(vcpus: 2, startsInX2APIC: true),
      steps: [Step(concurrently: [[first, first], [second], [send]]), first, second])
    for seed in 0..<20 { #expect(try Self.bench(seed: UInt64(seed)).run(history) == nil) }
  }

  @Test func `where a vCPU runs nothing is done that may bring it more than interrupts, and each vCPU has one actor`()
    throws
  {
    let machine = ReferenceMachine(ReferenceMachine.Configuration(vcpus: 2))
    let take = try Self.step("guest.take", 0)
    let send = try Self.step("msi.send", 0x40, 0, 0, 0, 0, 1, 0)
    #expect(machine.mayPerform(concurrently: [[take], [send]]))
    #expect(!machine.mayPerform(concurrently: [[take], [try Self.step("msi.send", 0x40, 0, 0, 5, 0, 1, 0)]]))
    #expect(!machine.mayPerform(concurrently: [[take], [try Self.step("event.nmi", 0)]]))
    #expect(!machine.mayPerform(concurrently: [[take], [try Self.step("register.tpr", 0, 0)]]))
    #expect(machine.mayPerform(concurrently: [[take], [try Self.step("register.tpr", 1, 0)]]))
    // It waits for an INIT.
    #expect(!machine.mayPerform(concurrently: [[try Self.step("guest.take", 1)], [send]]))
    #expect(machine.mayPerform(concurrently: [[send], [try Self.step("event.nmi", 0)]]))
  }

  @Test func `what steps of actors may have left is told apart by what follows`() throws {
    // Both orders of the writes leave what is seen, but not what a line does then.
    let run = try HistoryRun(
      HistoryMachine(vcpus: 1, startsInX2APIC: true), deviations: .kvm,
      subject: try Self.bench(seed: 1).make(HistoryMachine(vcpus: 1, startsInX2APIC: true)), clock: FaultTests.clock)
    let actors = [
      [try Self.step("routes.message", 24, 0x40, 0, 0, 0, 0)], [try Self.step("routes.message", 24, 0x50, 0, 0, 0, 0)],
    ]
    #expect(try run.perform(Step(concurrently: actors)).isEmpty)
    #expect(run.others.count == 1)
    #expect(run.orders.open == 1)
    #expect(try run.perform(Self.step("line.set", 24, 1)).isEmpty)
    #expect(run.others.isEmpty)
  }

  @Test func `steps of actors come back from a file as they were`() throws {
    var generator = HistoryGenerator(seed: 3, families: [.concurrent], hasGuest: false)
    let history = History(machine: generator.machine(), steps: (0..<30).map { _ in generator.step() })
    #expect(history.isConcurrent)
    let file = try HistoryFile(reading: Array(HistoryFile(history: history).text.utf8))
    #expect(file.history.steps.map(\.text) == history.steps.map(\.text))
  }

  @Test(arguments: [
    #"{"do":"concurrent.part"}"#, #"{"do":"concurrent.part","actors":[1]}"#,
    #"{"do":"concurrent.part","actors":[[{"do":"mode.set","vcpu":"0x0","bits":"0x0"}]]}"#,
    #"{"do":"concurrent.part","actors":[[],[],[],[],[]]}"#,
    #"{"do":"concurrent.part","actors":[[{"do":"concurrent.part","actors":[]}]]}"#,
    #"{"do":"routes.defaults","actors":[]}"#,
  ])
  func `a damaged step of actors is refused`(step: String) {
    let text = #"{"schema":"lapwing.history/1","machine":{"vcpus":1},"steps":[\#(step)]}"#
    #expect(throws: JSONError.self) { try HistoryFile(reading: Array(text.utf8)) }
  }

  @Test func `a generator without the family makes no steps of actors`() {
    var generator = HistoryGenerator(seed: 3, omitted: ["concurrent.part"], hasGuest: true)
    for _ in 0..<2000 { #expect(!generator.step().isConcurrent) }
  }

  /// What two actors do that shows each fault, the steps before it, and how many vCPUs there are.
  private static func showing(_ name: String) throws -> History {
    let first = try step("msi.send", 0x40, 0xff, 0, 0, 0, 1)
    let second = try step("msi.send", 0x41, 0xff, 0, 0, 0, 1)
    let raise = try step("line.set", 20, 1)
    let nmi = try step("event.nmi", 0)
    let actors: [[Step]] =
      switch name {
      case "irqfd-lost-at-new-routes": [[try step("routes.defaults")], [try step("line.irqfd", 1)]]
      case "edge-counted-by-both", "edge-counted-by-none": [[raise], [raise]]
      case "nmi-merged": [[nmi], [nmi]]
      case "sent-while-taken": [[try step("guest.take", 0)], [first]]
      default: [[first], [second]]
      }
    let noise = [
      try step("register.tpr", 0, 0), try step("line.quiet", 16, 1), try step("msi.send", 0x50, 0, 0, 0, 0, 1),
    ]
    let quiet = Step(concurrently: [[try step("line.quiet", 17, 1)], [try step("line.quiet", 18, 1)]])
    return History(
      machine: HistoryMachine(vcpus: name == "sent-while-taken" ? 1 : 2, startsInX2APIC: true),
      steps: noise + [quiet, Step(concurrently: actors)])
  }

  @Test(arguments: Fault.orders.map(\.name))
  func
    `a fault that only actors show is found and shrunk to two of them, and their steps one after the other do not show it`(
      name: String
    ) throws
  {
    let bench = FaultTests.bench(try #require(Fault.named(name)))
    let history = try Self.showing(name)
    #expect(try FaultTests.bench(.none).run(history) == nil)
    let finding = try #require(try bench.run(history))
    let shrunk = try Shrinker(bench) { false }.shrink(finding)
    #expect(shrunk.history.steps.count <= 2)
    let last = try #require(shrunk.history.steps.last)
    #expect(last.actors.map(\.count) == [1, 1])
    var sequential = shrunk.history
    sequential.steps.removeLast()
    sequential.steps += last.actors.flatMap { $0 }
    #expect(try bench.run(sequential) == nil)
  }
}
