import APIC
import KVM
import SystemPackage
import VMM

extension Scenario {
  /// An irqfd without a route.
  static let irqfdBeforeRoute = Scenario(
    "msi.irqfd.before-route", "An eventfd that is assigned before its route interrupts through it", vcpus: 2,
    exercises: ["irqfd_update", "kvm_irq_routing_update", "KVM_SET_GSI_ROUTING"], needs: [.capability(.irqFD)]
  ) { test in
    let event = try EventDescriptor()
    try test.vm.assignIRQFD(event, gsi: routedGSI)
    try test.stimulus { try test.route(0x71, to: 1) }
    try event.write()
    try test.expect(1, of: 0x71, on: 1)
  }

  /// A route that changes all the time.
  static let irqfdRerouted = Scenario(
    "msi.irqfd.rerouted", "While its route is rewritten all the time, every event still interrupts once", vcpus: 3,
    exercises: ["kvm_set_irq_routing", "kvm_irq_routing_update", "irqfd_wakeup", "kvm_arch_set_irq_inatomic"],
    needs: [.capability(.irqFD)]
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    let messages = [(0x71, 1), (0x72, 1), (0x73, 2)].map { (vector: Vector, vcpu: Int) in
      (message: MSIMessage(vector: vector, destination: test[vcpu: vcpu].destination), vector: vector, vcpu: vcpu)
    }
    func taken() -> Int { messages.reduce(0) { $0 + test.machine.recorded($1.vector, on: $1.vcpu) } }
    let interrupts = test.machine.interrupts
    let sequence = messages.map(\.message)
    var sent = 0
    let rewrite: @Sendable () throws -> Void = {
      for message in sequence { try interrupts.route(routedGSI, to: message) }
    }
    try test.meanwhile(rewrite) { rounds in
      try test.stimulus {
        while sent < 60 || rounds() < 10 {
          try event.write()
          sent += 1
          try test.until("event \(sent) interrupts") { taken() >= sent }
        }
      }
      test.note("rewrites of the route", rounds() * sequence.count)
    }
    test.note("events", sent)
    try test.check("events were sent", sent >= 60, saw: sent)
    try test.check("interrupts", taken(), equals: sent)
  }

  /// The end of an irqfd.
  static let irqfdDeassigned = Scenario(
    "msi.irqfd.deassigned", "No event interrupts any more once its eventfd is deassigned, even under fire", vcpus: 2,
    exercises: ["kvm_irqfd_deassign", "irqfd_shutdown", "KVM_IRQFD_FLAG_DEASSIGN"], needs: [.capability(.irqFD)]
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    func taken() -> Int { test.machine.recorded(0x71, on: 1) }
    let fire: @Sendable () throws -> Void = {
      try event.write()
      Pause.sleep(.microseconds(50))
    }
    try test.meanwhile(fire) { rounds in
      for _ in 0..<5 {
        let before = taken()
        try test.until("events interrupt") { taken() > before + 2 }
        try test.stimulus { try test.vm.deassignIRQFD(event, gsi: routedGSI) }
        try test.fence(1)
        let (last, shot) = (taken(), rounds())
        try test.until("the eventfd is signalled again and again") { rounds() > shot + 10 }
        try test.fence(1)
        try test.check("interrupts", taken(), equals: last)
        try test.vm.assignIRQFD(event, gsi: routedGSI)
      }
    }
  }

  /// A second message for a GSI.
  static let msiRouteTwice = Scenario(
    "msi.route.twice", "A second MSI route for a GSI is refused, and the first stays", vcpus: 2,
    exercises: ["setup_routing_entry", "KVM_SET_GSI_ROUTING"], needs: [.capability(.irqFD)]
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    let routes = [0x72, 0x73].map { (vector: Vector) in
      GSIRoute.msi(gsi: routedGSI, MSIMessage(vector: vector, destination: test[vcpu: 1].destination))
    }
    do {
      try test.vm.setGSIRouting(GSIRoute.defaults + routes)
      throw ScenarioFailure("two MSI routes for GSI \(routedGSI) were taken")
    } catch let error as KVMError {
      try test.check("two MSI routes for one GSI", error.errno, equals: .invalidArgument)
    }
    try test.stimulus { try event.write() }
    try test.expect(1, of: 0x71, on: 1)
    for vector: Vector in [0x72, 0x73] { try test.expectNone(of: vector, on: 1) }
  }
}

extension Scenario {
  /// KVM_IRQ_LINE on a route to a message.
  static let msiLine = Scenario(
    "msi.line", "A line that is routed to an MSI sends it when it rises, and not when it falls", vcpus: 2,
    exercises: ["kvm_set_irq", "kvm_set_msi", "KVM_IRQ_LINE_STATUS", "KVM_SET_GSI_ROUTING"]
  ) { test in
    try test.route(0x71, to: 1)
    try test.stimulus {
      for _ in 0..<2 {
        let status = try test.setLine(routedGSI, to: true)
        try test.check("KVM_IRQ_LINE_STATUS answers", status, equals: .delivered(1))
        try test.until("vCPU 1 takes it") { test.machine.recorded(0x71, on: 1) > 0 }
        try test.setLine(routedGSI, to: false)
      }
    }
    try test.expect(2, of: 0x71, on: 1)
  }

  /// An eventfd, to a vCPU inside the guest.
  static let irqfdMSI = Scenario(
    "msi.irqfd", "An eventfd interrupts a running vCPU through an MSI route", vcpus: 2,
    exercises: ["irqfd_wakeup", "kvm_arch_set_irq_inatomic", "KVM_IRQFD"], needs: [.capability(.irqFD)],
    path: .postedOrSoftware
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    let times = 5
    try test.leaveProcessorsTo(1)
    try test[vcpu: 1].spin(until: 0x71, reaches: times)
    try test.stimulus {
      for count in 1...times {
        try test.withPathCut { try event.write() }
        try test.until("interrupt \(count) is taken") { test.taken(0x71, on: 1) >= count }
      }
    }
    try test.expect(times, of: 0x71, on: 1)
    try test.expectNone(of: 0x71, on: 0)
  }

  /// An eventfd, to a vCPU that KVM has put to sleep.
  static let irqfdHalted = Scenario(
    "msi.irqfd.halted", "An eventfd wakes a halted vCPU through an MSI route", vcpus: 2,
    exercises: ["irqfd_wakeup", "kvm_vcpu_wake_up", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    try test[vcpu: 1].halt()
    try test.stimulus { try event.write() }
    try test.expect(1, of: 0x71, on: 1)
    try test[vcpu: 1].finishHalt()
  }

  /// A count above one.
  static let irqfdCount = Scenario(
    "msi.irqfd.count", "Each write to an eventfd is one interrupt, whatever it adds", vcpus: 2,
    exercises: ["irqfd_wakeup", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    let event = try test.assignEvent(vector: 0x71, to: 1)
    try test.stimulus {
      for (index, count) in [5, 1, 1000].enumerated() {
        try event.write(UInt64(count))
        try test.expect(index + 1, of: 0x71, on: 1)
      }
    }
    try test.expect(3, of: 0x71, on: 1)
    try test.check("what is left in the eventfd", try event.read(), equals: 0)
  }

  /// Events that came before the irqfd.
  static let irqfdSignalledBefore = Scenario(
    "msi.irqfd.signalled-before", "An eventfd that was signalled before it is assigned interrupts once it is", vcpus: 2,
    exercises: ["kvm_irqfd_assign", "irqfd_inject", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    try test.route(0x71, to: 1)
    let event = try EventDescriptor()
    try test.stimulus { try event.write(3) }
    try test.vm.assignIRQFD(event, gsi: routedGSI)
    try test.expect(1, of: 0x71, on: 1)
    try event.write()
    try test.expect(2, of: 0x71, on: 1)
  }

  /// Two eventfds for one GSI, and one eventfd twice.
  static let irqfdShared = Scenario(
    "msi.irqfd.shared", "Two eventfds may share a GSI, but no eventfd is assigned twice", vcpus: 2,
    exercises: ["kvm_irqfd_assign", "KVM_IRQFD"], needs: [.capability(.irqFD)]
  ) { test in
    let first = try test.assignEvent(vector: 0x71, to: 1)
    let second = try EventDescriptor()
    try test.vm.assignIRQFD(second, gsi: routedGSI)
    do {
      try test.vm.assignIRQFD(first, gsi: routedGSI)
      throw ScenarioFailure("an eventfd was assigned a second time")
    } catch let error as KVMError {
      try test.check("a second assignment", error.errno, equals: .resourceBusy)
    }
    try first.write()
    try test.expect(1, of: 0x71, on: 1)
    try test.stimulus { try second.write() }
    try test.expect(2, of: 0x71, on: 1)
  }
}

/// A GSI that no chip has.
let routedGSI = InterruptController.firstFreeGSI + 8

extension TestContext {
  /// Routes that GSI to a message to a vCPU.
  func route(_ vector: Vector, to vcpu: Int) throws {
    try machine.interrupts.route(routedGSI, to: MSIMessage(vector: vector, destination: self[vcpu: vcpu].destination))
  }

  /// Routes it, and makes an eventfd that signals it.
  func assignEvent(vector: Vector, to vcpu: Int) throws -> EventDescriptor {
    try route(vector, to: vcpu)
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: routedGSI)
    return event
  }
}
