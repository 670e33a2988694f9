import APIC
import ForeignStates
import KVM
import MachineState
import Testing

/// For each rule, what makes a healthy machine break it.
enum BrokenStates {
  struct Entry: Sendable, CustomTestStringConvertible {
    let rule: String
    let mode: APICMode
    let damage: @Sendable (inout InspectableState) -> Void

    init(
      _ rule: String, mode: APICMode = .x2APIC, _ damage: @escaping @Sendable (inout InspectableState) -> Void
    ) {
      self.rule = rule
      self.mode = mode
      self.damage = damage
    }

    /// A rule of which the first vCPU is enough.
    init(
      vcpu rule: String, mode: APICMode = .x2APIC, _ damage: @escaping @Sendable (inout VCPUState) -> Void
    ) {
      self.init(rule, mode: mode) { damage(&$0.machine.vcpus[0]) }
    }

    var testDescription: String { rule }
  }

  static let all = timers + service + identities + lines + chips + execution

  private static let timers: [Entry] = [
    Entry(vcpu: "timer.no-deadline") { $0.msrs[2].value = 0 },
    Entry(vcpu: "timer.deadline-passed") {
      $0.msrs[0].value = 9_000_000_000
      $0.msrs[2].value = 1
    },
    Entry(vcpu: "timer.mode-without-cpuid") { $0.cpuid[0].ecx = 1 << 21 },
    Entry(vcpu: "timer.deadline-in-other-mode") { $0.localAPIC.setLVT(.timer, to: .timer(0x40, mode: .oneShot)) },
    Entry(vcpu: "timer.stopped") {
      $0.localAPIC.setLVT(.timer, to: .timer(0x40, mode: .periodic))
      $0.localAPIC.initialCount = 1000
    },
  ]

  private static let service: [Entry] = [
    Entry(vcpu: "service.remote-irr") { $0.localAPIC.interruptRequest = [0x34] },
    Entry("service.no-remote-irr") {
      $0.machine.vcpus[0].localAPIC.inService = [0x39]
      $0.machine.ioapic?.entries[9].remoteIRR = false
    },
    Entry(vcpu: "service.trigger-mode") { $0.localAPIC.triggerModes = [0x34, 0x39] },
    Entry(vcpu: "service.no-handler") {
      $0.localAPIC.inService = [0x39]
      $0.mpState = .halted
      $0.registers.rflags = 2
    },
    Entry(vcpu: "service.ppr") { $0.localAPIC.processorPriority = 0x50 },
  ]

  private static let identities: [Entry] = [
    Entry(vcpu: "id.ldr") { $0.localAPIC[.logicalDestination] = 0x0100_0000 },
    Entry("id.doubled", mode: .xAPIC) { $0.machine.vcpus[1].localAPIC.setID(0, mode: .xAPIC) },
    Entry("id.format") { $0.machine.vcpus[1].localAPIC[.id] = 1 << 24 },
    Entry(vcpu: "id.cpuid") { $0.cpuid[1].edx = 7 },
    Entry(vcpu: "base.mode") { $0.specialRegisters.apicBase = APICBase(rawValue: 0xfee0_0500) },
    Entry(vcpu: "base.twice") { $0.msrs[1].value = 0xfee0_0900 },
    Entry(vcpu: "base.disabled") {
      $0.specialRegisters.apicBase = APICBase(isBootstrapProcessor: true, mode: .disabled)
    },
    Entry(vcpu: "base.moved", mode: .xAPIC) { $0.specialRegisters.apicBase = APICBase(rawValue: 0xfed0_0900) },
    Entry("bsp.several") {
      $0.machine.vcpus[1].specialRegisters.apicBase = APICBase(isBootstrapProcessor: true, mode: .x2APIC)
    },
    Entry(vcpu: "bsp.none") { $0.specialRegisters.apicBase = APICBase(mode: .x2APIC) },
    Entry(vcpu: "svr.off") { $0.localAPIC[.spurious] = 0xff },
    Entry(vcpu: "esr.errors") { $0.localAPIC[.errorStatus] = 0x40 },
  ]

  private static let lines: [Entry] = [
    Entry("pin.nobody") { $0.machine.ioapic?.entries[4] = RedirectionEntry(vector: 0x34, destination: .physical(9)) },
    Entry("pin.vector") { $0.machine.ioapic?.entries[4] = RedirectionEntry(vector: 3, destination: .physical(0)) },
    Entry("route.no-pin") { $0.machine.settings.routes?.append(.irqChip(gsi: 30, chip: .ioapic, pin: 24)) },
    Entry("irqfd.no-route") { $0.machine.irqfds.append(IRQFDState(gsi: 25)) },
  ]

  private static let chips: [Entry] = [
    Entry("pit.nowhere") { runPIT(&$0) },
    Entry("pit.load-ahead") {
      runPIT(&$0)
      $0.machine.pit?.channel0.countLoadTime = 6_000_000_000
    },
    Entry("pic.initializing") { $0.machine.pics?.slave.initState = 2 },
    Entry("pic.unsaved") { $0.machine.pics?.master = PICState() },
    Entry("ioapic.unsaved") {
      $0.machine.ioapic?.entries = Array(repeating: RedirectionEntry(rawValue: 0), count: IOAPIC.pinCount)
    },
  ]

  private static func runPIT(_ state: inout InspectableState) {
    state.machine.pit?.channel0.count = 11932
    state.machine.pit?.channel0.mode = 2
    state.machine.pit?.channel0.gate = 1
    state.machine.pit?.channel0.countLoadTime = 1
  }

  private static let execution: [Entry] = [
    Entry(vcpu: "halt.interrupts-off") {
      $0.mpState = .halted
      $0.registers.rflags = 2
    },
    Entry(vcpu: "entry.shadow") { $0.events.interrupt.shadow = 3 },
    Entry(vcpu: "entry.injected") {
      $0.events.interrupt.injected = true
      $0.events.interrupt.number = 0x41
      $0.registers.rflags = 2
    },
    Entry(vcpu: "entry.halted-in-shadow") {
      $0.mpState = .halted
      $0.events.interrupt.shadow = 2
    },
    Entry("clock.tsc-behind") { $0.machine.time.clock = ClockState(nanoseconds: 60_000_000_000) },
    Entry(vcpu: "clock.kvmclock-behind") { $0.msrs[0].value = 600_000_000_000 },
    Entry(vcpu: "clock.tsc-apart") { $0.msrs[0].value = 20_000_000_000 },
  ]
}
