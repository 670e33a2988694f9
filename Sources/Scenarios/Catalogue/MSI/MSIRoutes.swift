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
