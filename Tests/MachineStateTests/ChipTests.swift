import APIC
import BuiltInGuests
import KVM
import MachineState
import Testing
import VMM

/// Chips and events in made-up states of a machine whose guest never runs.
@Suite("Chips and events over a restore", Host.canRun) struct ChipTests {
  /// A state of a machine with a PIT, and its memory.
  private func state(_ change: (inout MachineState) -> Void = { _ in }) throws -> (MachineState, GuestMemory) {
    var configuration = MachineConfiguration()
    configuration.memory = 16 << 20
    let image = try #require(BuiltInGuest.named("agent")).image
    let machine = try Machine(configuration, image: image, on: try #require(Host.system), console: Console())
    try machine.vm.createPIT()
    var state = try machine.capture()
    change(&state)
    return (state, machine.memory)
  }

  private func restore(_ state: MachineState, _ memory: GuestMemory) throws -> Machine {
    try Machine(restoring: state, memory: memory, on: try #require(Host.system), console: Console())
  }

  /// Whether an edge of IRQ 0 reaches the master PIC before a deadline.
  private func ticks(_ machine: Machine, within limit: Duration) throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline { if try machine.vm.pic(.master).irr & 1 == 1 { return true } }
    return false
  }

  @Test func `a PIT that counts once interrupts after a restore: it is given its whole count, and never less`() throws {
    let (state, memory) = try state { state in
      state.pit?.channel0.mode = 0
      state.pit?.channel0.count = 40000
    }
    let machine = try restore(state, memory)
    #expect(try ticks(machine, within: .seconds(20)))
    #expect(try machine.capture().pit?.channel0 == state.pit?.channel0)
  }

  @Test func `a periodic PIT goes on`() throws {
    let (state, memory) = try state { state in
      state.pit?.channel0.mode = 2
      state.pit?.channel0.count = 1193
      state.pit?.channel0.countLoadTime = Int64(state.time.hostMonotonic)
      state.pit?.speakerDataOn = true
    }
    let machine = try restore(state, memory)
    #expect(try ticks(machine, within: .seconds(20)))
    let again = try machine.capture()
    #expect(again.pit?.channel0.count == 1193)
    #expect(again.pit?.speakerDataOn == true)
    #expect(again.settings.pit == state.settings.pit)
  }

  @Test func `the PICs and the IOAPIC are as they were, level by level`() throws {
    let (state, memory) = try state { state in
      state.pics?.master.irqBase = 0x20
      state.pics?.master.imr = 0xfb
      state.pics?.master.irr = 0x04
      state.pics?.master.lastIRR = 0x04
      state.pics?.slave.irqBase = 0x28
      state.pics?.slave.isr = 0x02
      state.pics?.slave.initState = 2
      // A level line that is up, whose interrupt is in service: it is not sent again.
      var entry = RedirectionEntry(vector: 0x55, destination: .physical(0), triggerMode: .level)
      entry.remoteIRR = true
      state.ioapic?.entries[20] = entry
      state.ioapic?.irr = 1 << 20
    }
    let again = try restore(state, memory).capture()
    #expect(again.pics == state.pics)
    #expect(again.ioapic == state.ioapic)
    #expect(!again.vcpus[0].localAPIC.interruptRequest.contains(0x55))
  }

  @Test func `what waits in an irqfd's event interrupts once, and is then no longer there`() throws {
    let vector: Vector = 0x66
    let (state, memory) = try state { state in
      state.vcpus[0].localAPIC.spurious.isSoftwareEnabled = true
      state.settings.routes =
        GSIRoute.defaults + [.msi(gsi: 40, MSIMessage(vector: vector, destination: .physical(0)))]
      var irqfd = IRQFDState(gsi: 40)
      irqfd.pending = 2
      state.irqfds = [irqfd]
    }
    let machine = try restore(state, memory)
    let deadline = ContinuousClock.now + .seconds(20)
    var again = try machine.capture()
    while !again.vcpus[0].localAPIC.interruptRequest.contains(vector), ContinuousClock.now < deadline {
      again = try machine.capture()
    }
    #expect(again.vcpus[0].localAPIC.interruptRequest.contains(vector))
    #expect(again.irqfds.map(\.gsi) == [40])
    #expect(again.irqfds.map(\.pending) == [0])
    // Its interrupt taken back, it stays away.
    var quiet = again
    quiet.vcpus[0].localAPIC.interruptRequest.remove(vector)
    let next = try restore(quiet, memory).capture()
    #expect(!next.vcpus[0].localAPIC.interruptRequest.contains(vector))
  }

  @Test func `an event that is written before a capture is in it, one way or the other`() throws {
    let vector: Vector = 0x67
    let (state, memory) = try state { state in
      state.vcpus[0].localAPIC.spurious.isSoftwareEnabled = true
      state.settings.routes =
        GSIRoute.defaults + [.msi(gsi: 41, MSIMessage(vector: vector, destination: .physical(0)))]
    }
    for _ in 0..<20 {
      let machine = try restore(state, memory)
      let event = try EventDescriptor()
      try machine.vm.assignIRQFD(event, gsi: 41)
      try event.write()
      let captured = try machine.capture()
      let isRequested = captured.vcpus[0].localAPIC.interruptRequest.contains(vector)
      #expect(isRequested != (captured.irqfds.first?.pending == 1))
    }
  }

  @Test func `what KVM does not tell back is told again`() throws {
    let (state, memory) = try state { state in
      state.vcpus[0].settings.vapicAddress = 0x10_0000
      state.vcpus[0].settings.reportsTPRAccesses = true
      state.settings.msrFilter = MSRFilter(ranges: [.init(base: 0x174, allows: [false])])
      state.settings.capabilities.append(.init(.apicBusCycles, [2, 0, 0, 0]))
      var event = IOEventState(address: .mmio(0xd000_0000))
      event.length = 4
      event.match = 7
      event.pending = 3
      var twins = [IOEventState(address: .port(0x510)), IOEventState(address: .port(0x520))]
      twins[0].event = 0
      twins[0].pending = 5
      twins[1].event = 0
      state.ioEvents = [event] + twins
    }
    let again = try restore(state, memory).capture()
    #expect(again.settings == state.settings)
    #expect(again.vcpus[0].settings == state.vcpus[0].settings)
    #expect(again.ioEvents == state.ioEvents)
  }

  @Test func `x2APIC ids above 255 and nested interrupts come back`() throws {
    var configuration = MachineConfiguration()
    configuration.vcpus = 2
    configuration.vcpuIDs = [0, 300]
    let image = try #require(BuiltInGuest.named("agent")).image
    let system = try #require(Host.system)
    try #require(try system.check(.maxVCPUID) > 300)
    let machine = try Machine(configuration, image: image, on: system, console: Console())
    var state = try machine.capture()
    state.vcpus[1].specialRegisters.apicBase.mode = .x2APIC
    state.vcpus[1].msrs.removeAll { $0.index == MSR.apicBase }
    state.vcpus[1].localAPIC.setID(300, mode: .x2APIC)
    state.vcpus[1].localAPIC.spurious.isSoftwareEnabled = true
    state.vcpus[1].localAPIC.inService = [0x35, 0x62, 0x91]
    state.vcpus[1].localAPIC.interruptRequest = [0x41, 0x93, 0xe0]
    state.vcpus[1].localAPIC.triggerModes = [0x62]
    state.vcpus[1].events.nmi.masked = true
    state.vcpus[1].events.nmi.pending = 1
    state.vcpus[1].events.interrupt.shadow = 2
    state.vcpus[1].mpState = .halted
    let again = try Machine(restoring: state, memory: machine.memory, on: system, console: Console()).capture()
    #expect(again.vcpus[1].localAPIC.id(mode: .x2APIC) == 300)
    #expect(again.vcpus[1].localAPIC.inService == [0x35, 0x62, 0x91])
    #expect(again.vcpus[1].localAPIC.interruptRequest == [0x41, 0x93, 0xe0])
    #expect(again.vcpus[1].localAPIC.triggerModes == [0x62])
    #expect(again.vcpus[1].events == state.vcpus[1].events)
    #expect(again.vcpus[1].mpState == .halted)
  }
}
