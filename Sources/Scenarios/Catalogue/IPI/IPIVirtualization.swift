import APIC
import KVM
import VMM

/// Interprocessor interrupts that the sender's processor carries out (IPI virtualization).
extension Scenario {
  /// To a vCPU inside the guest.
  static let ipivRunning = Scenario(
    "ipiv.running", "An IPI to a running vCPU has neither its sender nor its target leave the guest", vcpus: 2,
    exercises: ["vmx_can_use_ipiv", "pid_table", "SDM 3C 31.1.6", "SDM 3C 31.6"],
    needs: [.feature(.ipiVirtualization)], path: .posted
  ) { test in
    let (posted, counted) = (20, 1000)
    let destination = test[vcpu: 1].destination
    try test[vcpu: 1].spin(until: 0x56, reaches: posted)
    try test.stimulus {
      try test.sendToRunning(.interrupt(0x56, to: destination), from: 0, times: posted)
      // Held out of the guest, it would leave it for that.
      guard test.sabotage != .path else { return }
      try test[vcpu: 1].finishSpin()
      try test.expectNoExit(of: ["sender", "target"], times: counted)
    }
    try test.expect(posted, of: 0x56, on: 1)
  }

  /// To the sender, by its id.
  static let ipivOwnID = Scenario(
    "ipiv.own-id", "An IPI to the sender's own id interrupts it without an exit",
    exercises: ["vmx_can_use_ipiv", "pid_table", "SDM 3C 31.1.6"],
    needs: [.feature(.ipiVirtualization)], path: .virtualDelivery
  ) { test in
    let command = InterruptCommand.interrupt(0x58, to: test[vcpu: 0].destination)
    try test[vcpu: 0].send(command)
    try test.expect(1, of: 0x58, on: 0)
    var exits = ExitCounts()
    try test.stimulus { exits = try test.exitsOfSender(of: command, times: 20, taken: (0x58, by: 0)) }
    try test.check("no exit", exits.own == 0, saw: exits.own)
    try test.expect(21, of: 0x58, on: 0)
  }

  /// To a vCPU that KVM has put to sleep: the notification is the wake-up vector then.
  static let ipivHalted = Scenario(
    "ipiv.halted", "An IPI wakes a halted vCPU, and its sender does not leave the guest", vcpus: 2,
    exercises: ["vmx_needs_pi_wakeup", "pi_wakeup_handler", "vmx_vcpu_pi_put", "SDM 3C 31.1.6"],
    needs: [.feature(.ipiVirtualization)], path: .virtualDelivery
  ) { test in
    let times = 10
    let command = InterruptCommand.interrupt(0x59, to: test[vcpu: 1].destination)
    try test.load(1, rounds: 1)
    try test[vcpu: 0].send(command)
    try test.expect(1, of: 0x59, on: 1)
    for count in 1...times {
      try test[vcpu: 1].halt()
      var exits = ExitCounts()
      try test.stimulus { exits = try test.exitsOfSender(of: command, times: 1, taken: (0x59, by: 1)) }
      try test.check("no exit of the sender", exits.own == 0, saw: exits.own)
      try test.expect(count + 1, of: 0x59, on: 1)
      try test[vcpu: 1].finishHalt()
    }
  }

  /// To a vCPU that the machine's owner holds up.
  static let ipivOutside = Scenario(
    "ipiv.outside", "An IPI to a vCPU that is out of the guest waits in its descriptor for the next entry", vcpus: 2,
    exercises: ["vmx_can_use_ipiv", "vmx_sync_pir_to_irr", "vmx_vcpu_pi_load", "SDM 3C 31.1.6"],
    needs: [.feature(.ipiVirtualization)], path: .virtualDelivery
  ) { test in
    let command = InterruptCommand.interrupt(0x5a, to: test[vcpu: 1].destination)
    try test.load(1, rounds: 1)
    try test[vcpu: 0].send(command)
    try test.expect(1, of: 0x5a, on: 1)
    let hold = try VCPUHold(1, of: test.machine)
    defer { hold.release() }
    try test.until("vCPU 1 is out of the guest") { hold.isHeld }
    var exits = ExitCounts()
    try test.stimulus { exits = try test.exitsOfSender(of: command, times: 1) }
    try test.check("no exit of the sender", exits.own == 0, saw: exits.own)
    try test.check("what vCPU 1 has taken", test.taken(0x5a, on: 1), equals: 1)
    hold.release()
    try test.expect(2, of: 0x5a, on: 1)
  }
}

/// Commands that the processor leaves to KVM, by an exit behind the write.
extension Scenario {
  /// Another delivery mode.
  static let ipivNMI = exiting("ipiv.nmi", "An NMI", "APIC_DM_NMI") { test in
    (.nmi(to: test[vcpu: 1].destination), (2, by: 1))
  }

  /// Several vCPUs, or one, by their logical ids.
  static let ipivLogical = exiting("ipiv.logical", "An IPI to a logical destination", isToGroup: true) { test in
    try test.setFlatLogicalIDs()
    return (.interrupt(0x5b, to: test.logicalDestination(of: 1)), (0x5b, by: 1))
  }

  /// All vCPUs but the sender.
  static let ipivShorthand = exiting("ipiv.shorthand", "An IPI by shorthand", isToGroup: true) { _ in
    (InterruptCommand(vector: 0x5c, shorthand: .allExcludingSelf), (0x5c, by: 1))
  }

  /// An entry of the table that is not valid.
  static let ipivAbsent = exiting("ipiv.absent", "An IPI to an id that no vCPU has") { _ in
    (.interrupt(0x5d, to: .physical(77)), nil)
  }

  /// What is no interrupt.
  static let ipivIllegalVector = exiting("ipiv.illegal-vector", "An IPI with a vector below 16") { test in
    (.interrupt(15, to: test[vcpu: 1].destination), nil)
  }

  /// - Parameters:
  ///   - command: what is sent, and the vector and the vCPU that show that it came; nil where nobody gets it.
  private static func exiting(
    _ id: String, _ what: String, _ exercised: String = "pid_table", isToGroup: Bool = false,
    _ command: @escaping @Sendable (TestContext) throws -> (InterruptCommand, TestContext.Taker?)
  ) -> Scenario {
    Scenario(
      id, "\(what) is an exit of its sender, and KVM sends it", vcpus: 2,
      exercises: ["handle_apic_write", "kvm_apic_send_ipi", exercised, "SDM 3C 31.1.6"],
      needs: [.feature(.ipiVirtualization)] + (isToGroup ? [.trait(.exitingGroupIPIs)] : [])
    ) { test in
      let times = 20
      let (command, taker) = try command(test)
      let plain = try test.exitsOfSender(
        of: .interrupt(0x5e, to: test[vcpu: 1].destination), times: times, taken: (0x5e, by: 1))
      var exits = ExitCounts()
      try test.stimulus { exits = try test.exitsOfSender(of: command, times: times, taken: taker) }
      test.note("exits of the sender for \(times) of them", exits.own)
      test.note("exits of the sender for \(times) that are fixed, physical and to one vCPU", plain.own)
      try test.check("an exit for each", exits.own >= times, saw: exits.own)
      // The first touches what the others find there.
      try test.check("next to no exits for the others", plain.own < times / 2, saw: plain.own)
      for vcpu in test.vcpus {
        try test.expect(vcpu.index == taker?.by ? times : 0, of: taker?.vector ?? command.vector, on: vcpu.index)
      }
    }
  }
}

/// How often a vCPU left the guest.
private struct ExitCounts {
  /// For its own doing.
  var own = 0
  /// For interrupts of the host's, such as its timer's.
  var forHost = 0
}

extension TestContext {
  /// A vector and the vCPU that takes it.
  fileprivate typealias Taker = (vector: Vector, by: Int)

  /// The exits of vCPU 0 while it sends a command so many times, each when the one before was taken.
  fileprivate func exitsOfSender(
    of command: InterruptCommand, times: Int, taken taker: Taker? = nil
  ) throws -> ExitCounts {
    try exits(of: [0]) {
      for _ in 0..<times {
        let before = taker.map { taken($0.vector, on: $0.by) } ?? 0
        try self[vcpu: 0].send(command)
        if let taker {
          try until("vCPU \(taker.by) takes \(taker.vector)") { taken(taker.vector, on: taker.by) > before }
        }
      }
    }[0]
  }

  /// The exits of some vCPUs while something is done. They are counted while the vCPU is stopped: in the middle of an exit KVM
  /// may have counted it and not yet its reason.
  fileprivate func exits(of vcpus: [Int], while body: () throws -> Void) throws -> [ExitCounts] {
    let before = try vcpus.map(stoppedExits)
    try body()
    let after = try vcpus.map(stoppedExits)
    return zip(before, after).map { before, after in
      ExitCounts(own: after.own - before.own, forHost: after.forHost - before.forHost)
    }
  }

  /// Has vCPU 0 interrupt vCPU 1, which spins, so many times, and expects that neither leaves the guest. The vector is that of
  /// fences: the agent does not log it, and so does not touch new pages of its log.
  fileprivate func expectNoExit(of names: [String], times: Int) throws {
    let before = taken(Self.fenceVector, on: 1)
    try self[vcpu: 1].spin(until: Self.fenceVector, reaches: before + times)
    let exits = try exits(of: [0, 1]) {
      try sendToRunning(.interrupt(Self.fenceVector, to: self[vcpu: 1].destination), from: 0, times: times)
    }
    try check("IPIs taken", taken(Self.fenceVector, on: 1) - before, equals: times)
    for (name, exits) in zip(names, exits) {
      note("exits of the \(name) for \(times) IPIs", exits.own)
      note("exits of the \(name) for the host's interrupts meanwhile", exits.forHost)
    }
    for (name, exits) in zip(names, exits) {
      try check("no exit of the \(name)", exits.own == 0, saw: exits.own)
      // A notification that has the target leave the guest is an interrupt of the host's as well.
      try check(
        "next to no exits of the \(name) for the host's interrupts", exits.forHost < times / 4, saw: exits.forHost)
    }
  }

  private func stoppedExits(of vcpu: Int) throws -> ExitCounts {
    let file = statistics[vcpu]
    let statistics = try machine.withVCPUStopped(vcpu) { _ throws(KVMError) in try file.read() }
    guard let exits = statistics["exits"], let forHost = statistics["irq_exits"] else {
      throw ScenarioFailure("this kernel does not count exits")
    }
    return ExitCounts(own: Int(clamping: exits - min(exits, forHost)), forHost: Int(clamping: forHost))
  }
}
