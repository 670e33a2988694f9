public import APIC
import KVM
public import MachineState
import VMM

/// States that tests make up, as a capture would take them.
public enum MadeUpMachine {
  /// A machine whose vCPUs run with interrupts on, their local APICs enabled and idle.
  public static func state(vcpus: Int = 2, mode: APICMode = .x2APIC) -> MachineState {
    var state = MachineState()
    state.guest = "made up"
    state.host.kernel = "6.18.0"
    state.host.backEnd = "kvm_intel"
    state.configuration.vcpus = vcpus
    state.settings.hasIRQChip = true
    state.settings.capabilities = [.init(.x2APICAPI, [3, 0, 0, 0])]
    state.settings.pit = .init(speakerDummy: true)
    state.pics = MachineState.PICPair(master: PICState(), slave: PICState())
    state.pics?.master.irqBase = 0x20
    state.pics?.master.imr = 0xff
    state.pics?.slave.irqBase = 0x28
    state.pics?.slave.imr = 0xff
    state.ioapic = IOAPICState(entries: Array(repeating: .masked, count: IOAPIC.pinCount))
    state.pit = PITState()
    state.vcpus = (0..<vcpus).map { vcpu($0, mode: mode) }
    return state
  }

  private static func vcpu(_ index: Int, mode: APICMode) -> VCPUState {
    var vcpu = VCPUState()
    let id = UInt32(index)
    vcpu.id = id
    vcpu.registers.rflags = 0x202
    vcpu.specialRegisters.apicBase = APICBase(isBootstrapProcessor: index == 0, mode: mode)
    vcpu.localAPIC.setID(id, mode: mode)
    vcpu.localAPIC.setLogicalID(
      mode == .x2APIC ? Destination.x2APICLogicalID(of: id) : 1 << (id % 8), mode: mode)
    vcpu.localAPIC.setDestinationFormat(.flat)
    vcpu.localAPIC.version.version = 0x14
    vcpu.localAPIC.version.maxLVTEntry = 5
    vcpu.localAPIC.spurious = SpuriousInterruptVectorRegister()
    for source in LocalVector.allCases { vcpu.localAPIC.setLVT(source, to: .masked) }
    vcpu.localAPIC.setLVT(.lint0, to: .pin(0, deliveryMode: .external, isMasked: true))
    vcpu.msrs = [
      MSREntry(index: MSR.tsc, value: 1_000_000_000),
      MSREntry(index: MSR.apicBase, value: vcpu.specialRegisters.apicBase.rawValue),
      MSREntry(index: MSR.tscDeadline),
    ]
    vcpu.tscKHz = 2_000_000
    vcpu.xsave = [UInt8](repeating: 0, count: 4096)
    vcpu.extendedControlRegisters = [ExtendedControlRegister(number: 0, value: 7)]
    return vcpu
  }

  /// The same with something in every part: pending, in service and nested interrupts, a timer, lines.
  public static func busy() -> MachineState {
    var state = state()
    state.vcpus[0].localAPIC.interruptRequest = [0x31, 0x70, 0x8b]
    state.vcpus[0].localAPIC.inService = [0x41, 0x80]
    state.vcpus[0].localAPIC.triggerModes = [0x31, 0x41]
    state.vcpus[0].localAPIC.processorPriority = 0x80
    state.vcpus[0].localAPIC.setInterruptCommand(
      InterruptCommand(vector: 0x60, destination: .physical(1)), mode: .x2APIC)
    state.vcpus[0].localAPIC.setLVT(.timer, to: .timer(0x40, mode: .periodic))
    state.vcpus[0].localAPIC.initialCount = 1_000_000
    state.vcpus[0].localAPIC.currentCount = 250_000
    state.vcpus[0].localAPIC.divide = .by16
    state.vcpus[0].localAPIC.setLVT(.lint0, to: .pin(0, deliveryMode: .external))
    state.vcpus[1].mpState = .halted
    state.vcpus[1].registers.rflags = 2
    state.vcpus[1].localAPIC.interruptRequest = [0x60]
    state.vcpus[1].localAPIC.setLVT(.timer, to: .timer(0x41, mode: .tscDeadline))
    state.vcpus[1].msrs[2].value = 1_004_000_000
    state.vcpus[1].settings.vapicAddress = 0x50_0000
    state.ioapic?.entries[4] = RedirectionEntry(vector: 0x34, destination: .physical(1))
    state.ioapic?.entries[9] = RedirectionEntry(vector: 0x31, destination: .logical(0xff), triggerMode: .level)
    state.ioapic?.entries[9].remoteIRR = true
    state.ioapic?.irr = 1 << 9
    state.pics?.master.imr = 0xfa
    state.pics?.master.irr = 0x01
    state.pit?.channel0.count = 11932
    state.pit?.channel0.mode = 2
    state.pit?.channel0.gate = 1
    state.pit?.channel0.countLoadTime = 1_000_000_000
    state.time.hostMonotonic = 1_025_000_000
    state.settings.routes =
      GSIRoute.defaults + [.msi(gsi: 24, MSIMessage(vector: 0x70, destination: .physical(0xff)))]
    state.irqfds = [IRQFDState(gsi: 24)]
    return state
  }
}
