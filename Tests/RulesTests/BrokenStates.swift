import APIC
import ForeignStates
import KVM
import MachineState
import Testing

/// For each rule, a sound state that it has to look at, and what breaks it there.
enum BrokenStates {
  struct Entry: Sendable, CustomTestStringConvertible {
    typealias Change = @Sendable (inout InspectableState) -> Void

    let rule: String
    let mode: APICMode
    /// Makes of a healthy machine one that has what the rule is about, as it should be.
    let given: Change
    /// Breaks the rule.
    let damage: Change

    init(_ rule: String, mode: APICMode = .x2APIC, given: @escaping Change = { _ in }, damage: @escaping Change) {
      (self.rule, self.mode, self.given, self.damage) = (rule, mode, given, damage)
    }

    /// A rule of which the first vCPU is enough.
    init(
      vcpu rule: String, mode: APICMode = .x2APIC, given: @escaping @Sendable (inout VCPUState) -> Void = { _ in },
      damage: @escaping @Sendable (inout VCPUState) -> Void
    ) {
      self.init(rule, mode: mode) {
        given(&$0.machine.vcpus[0])
      } damage: {
        damage(&$0.machine.vcpus[0])
      }
    }

    var testDescription: String { rule }

    /// The state before anything is wrong with it.
    var sound: InspectableState {
      var state = InspectableState(HealthyMachine.state(mode: mode))
      given(&state)
      return state
    }

    /// The state that breaks the rule.
    var broken: InspectableState {
      var state = sound
      damage(&state)
      return state
    }
  }

  static let all = timers + service + identities + bases + lines + chips + execution + clocks

  private static let timers: [Entry] = [
    Entry(vcpu: "timer.no-deadline") { $0.msrs[2].value = 0 },
    Entry(vcpu: "timer.deadline-passed") {
      $0.msrs[0].value = 2_100_000_000
      $0.msrs[2].value = 1_900_000_000
    } damage: {
      $0.msrs[2].value = 1
    },
    Entry(vcpu: "timer.mode-without-cpuid") { $0.cpuid[0].ecx = 1 << 21 },
    Entry(vcpu: "timer.deadline-in-other-mode") { $0.localAPIC.setLVT(.timer, to: .timer(0x40, mode: .oneShot)) },
    Entry(vcpu: "timer.stopped") {
      $0.localAPIC.setLVT(.timer, to: .timer(0x40, mode: .periodic))
      $0.localAPIC.initialCount = 1000
      $0.localAPIC.currentCount = 10
      $0.msrs[2].value = 0
    } damage: {
      $0.localAPIC.currentCount = 0
    },
  ]

  /// A handler of the level-triggered interrupt runs.
  @Sendable private static func serve(_ vcpu: inout VCPUState) {
    vcpu.localAPIC.interruptRequest = [0x34]
    vcpu.localAPIC.inService = [0x39]
    vcpu.localAPIC.processorPriority = 0x30
  }

  private static let service: [Entry] = [
    Entry(vcpu: "service.remote-irr") { $0.localAPIC.interruptRequest = [0x34] },
    Entry("service.no-remote-irr") {
      serve(&$0.machine.vcpus[0])
    } damage: {
      $0.machine.ioapic?.entries[9].remoteIRR = false
    },
    Entry(vcpu: "service.trigger-mode") { $0.localAPIC.triggerModes = [0x34, 0x39] },
    Entry(vcpu: "service.no-handler", given: serve) { $0.mpState = .halted },
    Entry(vcpu: "service.no-handler", given: serve) { $0.specialRegisters.ss.dpl = 3 },
    Entry(vcpu: "service.ppr", given: serve) { $0.localAPIC.processorPriority = 0x50 },
  ]

  private static let identities: [Entry] = [
    Entry(vcpu: "id.ldr") { $0.localAPIC[.logicalDestination] = 0x0100_0000 },
    Entry("id.doubled", mode: .xAPIC) { $0.machine.vcpus[1].localAPIC.setID(0, mode: .xAPIC) },
    Entry("id.format") { $0.machine.vcpus[1].localAPIC[.id] = 1 << 24 },
    Entry("id.format", mode: .xAPIC) { $0.machine.vcpus[1].localAPIC[.id] = 1 },
    Entry(vcpu: "id.cpuid") { $0.cpuid[0].ebx = 7 << 24 },
    Entry(vcpu: "id.cpuid") { $0.cpuid[1].edx = 7 },
  ]

  private static let bases: [Entry] = [
    Entry(vcpu: "base.mode") { $0.specialRegisters.apicBase = APICBase(rawValue: 0xfee0_0500) },
    Entry(vcpu: "base.mode") { $0.cpuid[0].ecx = 1 << 24 },
    Entry(vcpu: "base.twice") { $0.msrs[1].value = 0xfee0_0900 },
    Entry("base.disabled") {
      $0.machine.vcpus[1].specialRegisters.apicBase = APICBase(mode: .disabled)
      $0.machine.vcpus[1].msrs[1].value = APICBase(mode: .disabled).rawValue
    } damage: {
      $0.machine.vcpus[1].localAPIC.interruptRequest = [0x50]
    },
    Entry(vcpu: "base.moved", mode: .xAPIC) { $0.specialRegisters.apicBase = APICBase(rawValue: 0xfed0_0900) },
    Entry("bsp.several") {
      $0.machine.vcpus[1].specialRegisters.apicBase = APICBase(isBootstrapProcessor: true, mode: .x2APIC)
    },
    Entry(vcpu: "bsp.none") { $0.specialRegisters.apicBase = APICBase(mode: .x2APIC) },
    Entry("svr.off") {
      $0.machine.vcpus[1].localAPIC[.spurious] = 0xff
    } damage: {
      $0.machine.vcpus[1].localAPIC.interruptRequest = [0x50]
    },
    Entry(vcpu: "esr.errors") { $0.localAPIC[.errorStatus] = 0x40 },
  ]

  private static let lines: [Entry] = [
    Entry("pin.nobody") { $0.machine.ioapic?.entries[4] = RedirectionEntry(vector: 0x34, destination: .physical(9)) },
    Entry("pin.vector") { $0.machine.ioapic?.entries[4] = RedirectionEntry(vector: 3, destination: .physical(0)) },
    Entry(vcpu: "pin.vector") {
      $0.localAPIC[.lvtError] = 0xfe
    } damage: {
      $0.localAPIC[.lvtError] = 3
    },
    Entry("route.no-pin") {
      $0.machine.settings.routes?.append(.irqChip(gsi: 30, chip: .ioapic, pin: 23))
    } damage: {
      $0.machine.settings.routes?.append(.irqChip(gsi: 30, chip: .ioapic, pin: 24))
    },
    Entry("route.no-pin") { $0.machine.settings.routes?.append(.irqChip(gsi: 30, chip: .picSlave, pin: 8)) },
    Entry("irqfd.no-route") { $0.machine.irqfds.append(IRQFDState(gsi: 25)) },
  ]

  /// The PIT ticks, and its interrupt goes through the IOAPIC.
  @Sendable private static func tick(_ state: inout InspectableState) {
    state.machine.pit?.channel0.count = 11932
    state.machine.pit?.channel0.mode = 2
    state.machine.pit?.channel0.gate = 1
    state.machine.pit?.channel0.countLoadTime = 1
    state.machine.ioapic?.entries[2] = RedirectionEntry(vector: 0x30, destination: .physical(0))
  }

  private static let chips: [Entry] = [
    Entry("pit.nowhere", given: tick) { $0.machine.ioapic?.entries[2] = .masked },
    Entry("pit.nowhere") {
      tick(&$0)
      $0.machine.ioapic?.entries[2] = .masked
      $0.machine.pics?.master.imr = 0xfe
      $0.machine.vcpus[0].localAPIC.setLVT(.lint0, to: .pin(0, deliveryMode: .external))
    } damage: {
      $0.machine.vcpus[0].localAPIC.setLVT(.lint0, to: .masked)
    },
    Entry("pit.load-ahead", given: tick) { $0.machine.pit?.channel0.countLoadTime = 6_000_000_000 },
    Entry("pic.initializing") { $0.machine.pics?.slave.initState = 2 },
    Entry("pic.unsaved") { $0.machine.pics?.master = PICState() },
    Entry("ioapic.unsaved") {
      $0.machine.ioapic?.entries = Array(repeating: RedirectionEntry(rawValue: 0), count: IOAPIC.pinCount)
    },
  ]

  private static let execution: [Entry] = [
    Entry(vcpu: "halt.interrupts-off") {
      $0.mpState = .halted
    } damage: {
      $0.registers.rflags = 2
    },
    Entry(vcpu: "halt.interrupts-off") {
      $0.mpState = .halted
      $0.registers.rflags = 2
      $0.localAPIC.setLVT(.lint1, to: .pin(0, deliveryMode: .nmi))
    } damage: {
      $0.localAPIC.setLVT(.lint1, to: .masked)
    },
    Entry(vcpu: "entry.shadow") {
      // As KVM tells it of an AMD processor, after MOV SS.
      $0.events.interrupt.shadow = 3
      $0.registers.rflags = 2
    } damage: {
      $0.events.interrupt.shadow = 2
    },
    Entry(vcpu: "entry.shadow") {
      $0.events.interrupt.shadow = 2
    } damage: {
      $0.registers.rflags = 2
    },
    Entry(vcpu: "entry.injected", given: inject) { $0.registers.rflags = 2 },
    Entry(vcpu: "entry.injected", given: inject) { $0.events.interrupt.shadow = 2 },
    Entry(vcpu: "entry.injected", given: inject) { $0.events.exception.injected = true },
    Entry(vcpu: "entry.injected") {
      $0.events.nmi.injected = true
      $0.events.interrupt.shadow = 3
    } damage: {
      $0.events.interrupt.shadow = 1
    },
    Entry(vcpu: "entry.halted-in-shadow") {
      $0.mpState = .halted
    } damage: {
      $0.events.interrupt.shadow = 2
    },
  ]

  @Sendable private static func inject(_ vcpu: inout VCPUState) {
    vcpu.events.interrupt.injected = true
    vcpu.events.interrupt.number = 0x41
  }

  /// Every TSC is at `value`, with the deadlines ahead of it.
  private static func setTSC(_ state: inout InspectableState, to value: UInt64) {
    for index in state.machine.vcpus.indices {
      state.machine.vcpus[index].msrs[0].value = value
      state.machine.vcpus[index].msrs[2].value = value + 100_000_000
    }
  }

  private static let clocks: [Entry] = [
    Entry("clock.tsc-behind") {
      $0.machine.time.clock = ClockState(nanoseconds: 9_000_000_000)
    } damage: {
      $0.machine.time.clock = ClockState(nanoseconds: 60_000_000_000)
    },
    Entry("clock.kvmclock-behind") {
      setTSC(&$0, to: 20_000_000_000)
    } damage: {
      setTSC(&$0, to: 600_000_000_000)
    },
    Entry("clock.kvmclock-behind") {
      setTSC(&$0, to: 600_000_000_000)
      $0.machine.time.hostTSC = 601_000_000_000
    } damage: {
      $0.machine.time.hostTSC = 0
    },
    Entry(vcpu: "clock.tsc-apart") {
      $0.msrs[0].value = 2_500_000_000
      $0.msrs[2].value = 2_600_000_000
    } damage: {
      $0.msrs[0].value = 20_000_000_000
    },
  ]
}
