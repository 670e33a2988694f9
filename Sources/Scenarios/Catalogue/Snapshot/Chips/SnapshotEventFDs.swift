import APIC
import KVM
import MachineState
import VMM

/// Events of irqfds and ioeventfds when the state is taken.
extension Scenario {
  /// Written while the vCPUs stand still, by way of a message and by way of a line.
  static let snapshotIRQFD = Scenario(
    "snapshot.irqfd", "Irqfds that are written to right before a capture interrupt once, and work after the restore",
    vcpus: 2, exercises: ["irqfd_wakeup", "irqfd_inject", "irqfd_shutdown", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    let target = test[vcpu: 1].destination
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: target))
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x8f, destination: target))
    for gsi in [30, 20] as [UInt32] { try test.vm.assignIRQFD(try EventDescriptor(), gsi: gsi) }
    for round in 1...5 {
      try test.hop(whilePaused: {
        try test.stimulus { for irqfd in test.vm.irqfds { try irqfd.event.write() } }
      })
      for vector in [0x8e, 0x8f] as [Vector] { try test.expect(2 * round - 1, of: vector, on: 1) }
      for irqfd in test.vm.irqfds { try irqfd.event.write() }
      for vector in [0x8e, 0x8f] as [Vector] { try test.expect(2 * round, of: vector, on: 1) }
    }
  }

  /// Written, and not seen by KVM yet.
  static let snapshotIRQFDUntaken = Scenario(
    "snapshot.irqfd.untaken", "What waits in the event of an irqfd interrupts once after a restore",
    exercises: ["kvm_irqfd_assign", "irqfd_wakeup", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: test[vcpu: 0].destination))
    try test.vm.assignIRQFD(try EventDescriptor(), gsi: 30)
    try test.hop(changing: { state in try test.stimulus { state.irqfds[0].pending = 1 } })
    try test.expect(1, of: 0x8e, on: 0)
    try test.vm.irqfds[0].event.write()
    try test.expect(2, of: 0x8e, on: 0)
  }

  /// Written by a thread that knows nothing of captures.
  static let snapshotIRQFDMeanwhile = Scenario(
    "snapshot.irqfd.meanwhile", "No write to an irqfd is lost or doubled while the state is taken again and again",
    exercises: ["irqfd_shutdown", "kvm_irqfd_assign", "irqfd_wakeup", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    let (machine, event) = (test.machine, try EventDescriptor())
    try machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: test[vcpu: 0].destination))
    try test.stimulus { try machine.vm.assignIRQFD(event, gsi: 30) }
    let patience = test.patience
    var captures = 0
    let writes = try test.meanwhile {
      let before = machine.recorded(0x8e, on: 0)
      let deadline = ContinuousClock.now + patience
      try event.write()
      while machine.recorded(0x8e, on: 0) == before {
        guard ContinuousClock.now < deadline else { throw ScenarioFailure("write \(before + 1) did not interrupt") }
        Pause.sleep(.microseconds(20))
      }
    } _: { rounds in
      try test.until("50 writes have interrupted during captures") {
        _ = try test.capture()
        captures += 1
        return rounds() >= 50
      }
    }
    test.note("captures meanwhile", captures)
    try test.expect(writes, of: 0x8e, on: 0)
  }

  /// Level-triggered, with its owner told of the EOI.
  static let snapshotResample = Scenario(
    "snapshot.resample", "A resampling irqfd that is raised interrupts once after a restore, and its EOI is told",
    exercises: ["irqfd_resampler_ack", "irqfd_inject", "kvm_set_ioapic", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: vcpu.destination, triggerMode: .level))
    try test.vm.assignIRQFD(try EventDescriptor(), gsi: 20, resample: try EventDescriptor())
    for round in 1...5 {
      try test.hop(whilePaused: { try test.stimulus { try test.vm.irqfds[0].event.write() } })
      try test.expect(round, of: 0x7b, on: 0)
      var signals: UInt64 = 0
      try test.until("the owner is told of the EOI in round \(round)") {
        signals += try test.vm.irqfds[0].resample?.read() ?? 0
        return signals > 0
      }
      try test.check("signals in round \(round)", signals, equals: 1)
      try test.check("remote IRR is clear", try !test.redirection(pin: 20).remoteIRR)
    }
  }

  /// An EOI that its owner has not been told of.
  static let snapshotResampleUntaken = Scenario(
    "snapshot.resample.untaken", "The owner of a resampling irqfd hears after a restore of an EOI before it",
    exercises: ["irqfd_resampler_ack", "irqfd_resampler_notify", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { test in
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: test[vcpu: 0].destination, triggerMode: .level))
    try test.vm.assignIRQFD(try EventDescriptor(), gsi: 20, resample: try EventDescriptor())
    try test.stimulus { try test.vm.irqfds[0].event.write() }
    try test.expect(1, of: 0x7b, on: 0)
    let state = try test.hop()
    try test.check("signals that wait", state.irqfds[0].resamplePending, equals: 1)
    try test.check("signals after the restore", try test.vm.irqfds[0].resample?.read(), equals: 1)
    try test.expect(1, of: 0x7b, on: 0)
  }

  /// Writes of the guest that nobody has counted.
  static let snapshotIOEventFD = Scenario(
    "snapshot.ioeventfd", "What a guest's writes have signalled before a capture waits in the event after a restore",
    exercises: ["kvm_assign_ioeventfd", "ioeventfd_write", "KVM_IOEVENTFD"], needs: [.capability(.ioEventFD)]
  ) { test in
    let port: UInt16 = 0x5c00
    try test.stimulus { try test.vm.assignIOEvent(try EventDescriptor(), at: .port(port), length: 2) }
    for value in UInt32(1)...3 { try test[vcpu: 0].writePort(port, value, width: 2) }
    try test.hop()
    try test.check("ioeventfds", test.vm.ioEvents.count, equals: 1)
    try test.check("writes before the hop", try test.vm.ioEvents[0].event.read(), equals: 3)
    try test[vcpu: 0].writePort(port, 4, width: 2)
    try test.check("writes after it", try test.vm.ioEvents[0].event.read(), equals: 1)
  }

  /// From a guest's write to an interrupt without user space, on both sides of a hop.
  static let snapshotIOEventToIRQFD = Scenario(
    "snapshot.ioeventfd.irqfd", "An event that is both ioeventfd and irqfd is so after a restore", vcpus: 2,
    exercises: ["ioeventfd_write", "irqfd_wakeup", "KVM_IOEVENTFD", "KVM_IRQFD"],
    needs: [.capability(.ioEventFD), .capability(.irqFD)]
  ) { test in
    let (port, event): (UInt16, _) = (0x5c00, try EventDescriptor())
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: test[vcpu: 1].destination))
    try test.vm.assignIRQFD(event, gsi: 30)
    try test.stimulus { try test.vm.assignIOEvent(event, at: .port(port), length: 4) }
    for round in 1...3 {
      try test[vcpu: 0].writePort(port, 1, width: 4)
      try test.expect(round, of: 0x8e, on: 1)
      try test.hop()
    }
  }
}
