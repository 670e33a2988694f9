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
  ) { stage in
    let target = stage[vcpu: 1].destination
    try stage.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: target))
    try stage.setRedirection(pin: 20, RedirectionEntry(vector: 0x8f, destination: target))
    for gsi in [30, 20] as [UInt32] { try stage.vm.assignIRQFD(try EventDescriptor(), gsi: gsi) }
    for round in 1...5 {
      try stage.hop(whilePaused: {
        try stage.stimulus { for irqfd in stage.vm.irqfds { try irqfd.event.write() } }
      })
      for vector in [0x8e, 0x8f] as [Vector] { try stage.expect(2 * round - 1, of: vector, on: 1) }
      for irqfd in stage.vm.irqfds { try irqfd.event.write() }
      for vector in [0x8e, 0x8f] as [Vector] { try stage.expect(2 * round, of: vector, on: 1) }
    }
  }

  /// Written, and not seen by KVM yet.
  static let snapshotIRQFDUntaken = Scenario(
    "snapshot.irqfd.untaken", "What waits in the event of an irqfd interrupts once after a restore",
    exercises: ["kvm_irqfd_assign", "irqfd_wakeup", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { stage in
    try stage.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: stage[vcpu: 0].destination))
    try stage.vm.assignIRQFD(try EventDescriptor(), gsi: 30)
    try stage.hop(changing: { state in try stage.stimulus { state.irqfds[0].pending = 1 } })
    try stage.expect(1, of: 0x8e, on: 0)
    try stage.vm.irqfds[0].event.write()
    try stage.expect(2, of: 0x8e, on: 0)
  }

  /// Written by a thread that knows nothing of captures.
  static let snapshotIRQFDMeanwhile = Scenario(
    "snapshot.irqfd.meanwhile", "No write to an irqfd is lost or doubled while the state is taken again and again",
    exercises: ["irqfd_shutdown", "kvm_irqfd_assign", "irqfd_wakeup", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { stage in
    let (machine, event) = (stage.machine, try EventDescriptor())
    try machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: stage[vcpu: 0].destination))
    try stage.stimulus { try machine.vm.assignIRQFD(event, gsi: 30) }
    let patience = stage.patience
    var captures = 0
    let writes = try stage.meanwhile {
      let before = machine.recorded(0x8e, on: 0)
      let deadline = ContinuousClock.now + patience
      try event.write()
      while machine.recorded(0x8e, on: 0) == before {
        guard ContinuousClock.now < deadline else { throw StoryFailure("write \(before + 1) did not interrupt") }
        Pause.sleep(.microseconds(20))
      }
    } _: { rounds in
      try stage.until("50 writes have interrupted during captures") {
        _ = try stage.capture()
        captures += 1
        return rounds() >= 50
      }
    }
    stage.note("captures meanwhile", captures)
    try stage.drain(0)
    try stage.expect(writes, of: 0x8e, on: 0)
  }

  /// Level-triggered, with its owner told of the EOI.
  static let snapshotResample = Scenario(
    "snapshot.resample", "A resampling irqfd that is raised interrupts once after a restore, and its EOI is told",
    exercises: ["irqfd_resampler_ack", "irqfd_inject", "kvm_set_ioapic", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try stage.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: vcpu.destination, triggerMode: .level))
    try stage.vm.assignIRQFD(try EventDescriptor(), gsi: 20, resample: try EventDescriptor())
    for round in 1...5 {
      try stage.hop(whilePaused: { try stage.stimulus { try stage.vm.irqfds[0].event.write() } })
      try stage.expect(round, of: 0x7b, on: 0)
      var signals: UInt64 = 0
      try stage.until("the owner is told of the EOI in round \(round)") {
        signals += try stage.vm.irqfds[0].resample?.read() ?? 0
        return signals > 0
      }
      try stage.check("signals in round \(round)", signals, equals: 1)
      try stage.check("remote IRR is clear", try !stage.redirection(pin: 20).remoteIRR)
    }
  }

  /// An EOI that its owner has not been told of.
  static let snapshotResampleUntaken = Scenario(
    "snapshot.resample.untaken", "The owner of a resampling irqfd hears after a restore of an EOI before it",
    exercises: ["irqfd_resampler_ack", "irqfd_resampler_notify", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { stage in
    try stage.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: stage[vcpu: 0].destination, triggerMode: .level))
    try stage.vm.assignIRQFD(try EventDescriptor(), gsi: 20, resample: try EventDescriptor())
    try stage.stimulus { try stage.vm.irqfds[0].event.write() }
    try stage.expect(1, of: 0x7b, on: 0)
    let state = try stage.hop()
    try stage.check("signals that wait", state.irqfds[0].resamplePending, equals: 1)
    try stage.check("signals after the restore", try stage.vm.irqfds[0].resample?.read(), equals: 1)
    try stage.expect(1, of: 0x7b, on: 0)
  }

  /// Writes of the guest that nobody has counted.
  static let snapshotIOEventFD = Scenario(
    "snapshot.ioeventfd", "What a guest's writes have signalled before a capture waits in the event after a restore",
    exercises: ["kvm_assign_ioeventfd", "ioeventfd_write", "KVM_IOEVENTFD"], needs: [.capability(.ioEventFD)]
  ) { stage in
    let port: UInt16 = 0x5c00
    try stage.stimulus { try stage.vm.assignIOEvent(try EventDescriptor(), at: .port(port), length: 2) }
    for value in UInt32(1)...3 { try stage[vcpu: 0].writePort(port, value, width: 2) }
    try stage.hop()
    try stage.check("ioeventfds", stage.vm.ioEvents.count, equals: 1)
    try stage.check("writes before the hop", try stage.vm.ioEvents[0].event.read(), equals: 3)
    try stage[vcpu: 0].writePort(port, 4, width: 2)
    try stage.check("writes after it", try stage.vm.ioEvents[0].event.read(), equals: 1)
  }

  /// From a guest's write to an interrupt without user space, on both sides of a hop.
  static let snapshotIOEventToIRQFD = Scenario(
    "snapshot.ioeventfd.irqfd", "An event that is both ioeventfd and irqfd is so after a restore", vcpus: 2,
    exercises: ["ioeventfd_write", "irqfd_wakeup", "KVM_IOEVENTFD", "KVM_IRQFD"],
    needs: [.capability(.ioEventFD), .capability(.irqFD)]
  ) { stage in
    let (port, event): (UInt16, _) = (0x5c00, try EventDescriptor())
    try stage.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: stage[vcpu: 1].destination))
    try stage.vm.assignIRQFD(event, gsi: 30)
    try stage.stimulus { try stage.vm.assignIOEvent(event, at: .port(port), length: 4) }
    for round in 1...3 {
      try stage[vcpu: 0].writePort(port, 1, width: 4)
      try stage.expect(round, of: 0x8e, on: 1)
      try stage.hop()
    }
  }
}
