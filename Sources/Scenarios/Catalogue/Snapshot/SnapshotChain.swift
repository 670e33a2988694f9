import APIC
import KVM
import MachineState
import VMM

/// Room for all the interrupts of a long scenario.
private func useLongLog(_ configuration: inout MachineConfiguration) { configuration.logCapacity = 1 << 14 }

/// Hop after hop, with interrupts of all kinds on their way.
extension Scenario {
  /// A hundred of them. Every interrupt has a vector of its own a round, and the next round begins when all are taken:
  /// so none can fall together with another, and each is counted.
  static let snapshotChain = Scenario(
    "snapshot.chain", "Over 100 restores every IPI, MSI, irqfd and timer interrupt is taken exactly once", vcpus: 2,
    exercises: [
      "kvm_apic_get_state", "kvm_apic_set_state", "kvm_irq_delivery_to_apic", "irqfd_wakeup", "apic_timer_fn",
    ],
    needs: [.capability(.irqFD), .capability(.tscDeadlineTimer)], configure: useLongLog
  ) { test in
    let hops = 100
    let sent = try ChainLoad(test).run(hops: hops)
    let longest = test.hops.max() ?? .zero
    test.note("hops", test.hops.count)
    test.note("interrupts sent and taken", sent)
    test.note("ms a hop", (test.hops.reduce(.zero, +) / hops).milliseconds)
    test.note("ms, the longest hop", longest.milliseconds)
  }
}

/// Sends interrupts before, at and after each hop, and counts what becomes of them.
private struct ChainLoad {
  private static let ipi: Vector = 0x41
  private static let deadline: Vector = 0x61
  private static let countdown: Vector = 0x62
  private static let running: [Vector] = [0xa0, 0xa1, 0xa2, 0xa3]
  private static let paused: [Vector] = [0xb0, 0xb1, 0xb2, 0xb3]
  private static let messages: [UInt32: Vector] = [30: 0xc0, 31: 0xc1]
  private static let line: (pin: Int, vector: Vector) = (20, 0xc2)
  private static let volley = 4

  private let test: TestContext

  init(_ test: TestContext) throws {
    self.test = test
    for (gsi, vector) in Self.messages {
      try test.machine.interrupts.route(gsi, to: MSIMessage(vector: vector, destination: test[vcpu: 1].destination))
    }
    try test.setRedirection(
      pin: Self.line.pin, RedirectionEntry(vector: Self.line.vector, destination: test[vcpu: 0].destination))
    for gsi in [30, 31, UInt32(Self.line.pin)] { try test.vm.assignIRQFD(try EventDescriptor(), gsi: gsi) }
    try test[vcpu: 0].setTimer(Self.deadline, .tscDeadline)
    try test[vcpu: 1].setDivide(.by1)
    try test[vcpu: 1].setTimer(Self.countdown)
  }

  /// Runs the rounds; how many interrupts were sent.
  func run(hops: Int) throws -> Int {
    for round in 1...hops {
      try send(round)
      try test.hop(whilePaused: {
        try message(Self.paused)
        try test.vm.irqfds[1].event.write()
      })
      try test.check(
        "IPIs of round \(round) that the sender saw taken", try test[vcpu: 0].finishVolley(), equals: Self.volley)
      try awaitAll(round)
    }
    for vcpu in 0..<2 { try test.fence(vcpu) }
    for (vector, vcpu, count) in expected(hops) {
      try test.check("\(vector) on vCPU \(vcpu)", test.taken(vector, on: vcpu), equals: count)
    }
    return expected(hops).reduce(0) { $0 + $1.count }
  }

  /// What is on its way when the state is taken: timers of up to 5 ms, an IPI after the other, messages, events.
  private func send(_ round: Int) throws {
    let (first, second) = (test[vcpu: 0], test[vcpu: 1])
    let microseconds = UInt64(round * 37 % 50) * 100 + 50
    try test.stimulus { try second.startTimer(count: UInt32(microseconds * 1000)) }
    try first.setDeadline(try first.readTSC() + first.cycles(milliseconds: 5050 - microseconds) / 1000)
    try first.beginVolley(.interrupt(Self.ipi, to: second.destination), times: Self.volley, receivers: 1)
    try message(Self.running)
    try test.vm.irqfds[0].event.write()
    try test.vm.irqfds[2].event.write()
  }

  private func message(_ vectors: [Vector]) throws {
    for vcpu in test.vcpus {
      for vector in vectors { try test.signal(MSIMessage(vector: vector, destination: vcpu.destination)) }
    }
  }

  private func awaitAll(_ round: Int) throws {
    for (vector, vcpu, count) in expected(round) {
      try test.until("vCPU \(vcpu) takes \(vector) of round \(round)") { test.taken(vector, on: vcpu) >= count }
      try test.check("\(vector) on vCPU \(vcpu) by round \(round)", test.taken(vector, on: vcpu), equals: count)
    }
  }

  /// What has been taken after so many rounds.
  private func expected(_ rounds: Int) -> [(vector: Vector, vcpu: Int, count: Int)] {
    var all: [(vector: Vector, vcpu: Int, count: Int)] = [
      (Self.ipi, 1, rounds * Self.volley), (Self.deadline, 0, rounds), (Self.countdown, 1, rounds),
      (Self.line.vector, 0, rounds),
    ]
    all += Self.messages.values.sorted().map { ($0, 1, rounds) }
    for vcpu in 0..<2 { all += (Self.running + Self.paused).map { ($0, vcpu, rounds) } }
    return all
  }
}

extension Duration {
  /// In milliseconds, with a tenth.
  fileprivate var milliseconds: Double { (self / .milliseconds(0.1)).rounded() / 10 }
}
