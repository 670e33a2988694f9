import APIC
import KVM
import MachineState
import VMM

extension MachineState {
  /// A machine with two vCPUs and something in every field.
  static func madeUp() -> MachineState {
    var state = MachineState()
    state.guest = "made up"
    state.captured = 1_700_000_000_000_000_000
    state.host.kernel = "6.18.0"
    state.host.backEnd = "kvm_intel"
    state.host.processor = "A \"processor\""
    state.configuration.vcpus = 2
    state.configuration.arguments = "one two"
    state.settings.hasIRQChip = true
    state.settings.capabilities = [.init(.x2APICAPI, [3, 0, 0, 0])]
    state.settings.pit = .init(speakerDummy: true)
    state.settings.tssAddress = 0xfffb_d000
    state.settings.routes =
      GSIRoute.defaults + [.msi(gsi: 24, MSIMessage(vector: 0x70, destination: .physical(1)))]
    state.settings.msrFilter = MSRFilter(ranges: [.init(base: 0x10, allows: [true, false])])
    state.time.hostTSC = 0x1234_5678_9abc
    state.time.clock = ClockState(nanoseconds: 12345, realtime: 99, hostTSC: 77, isStable: true)
    state.pics = PICPair(master: PICState(), slave: PICState())
    state.pics?.master.irqBase = 0x20
    state.ioapic = IOAPICState(entries: (0..<24).map { RedirectionEntry(rawValue: 0x10000 + $0) })
    state.pit = PITState()
    state.pit?.channel0.count = 0x10000
    var irqfd = IRQFDState(gsi: 24)
    irqfd.pending = 3
    irqfd.isOwnedByVMM = true
    irqfd.event = 0
    state.irqfds = [irqfd, IRQFDState(gsi: 25)]
    var event = IOEventState(address: .mmio(0xd000_0000))
    event.length = 4
    event.match = 7
    var shared = IOEventState(address: .port(0x500))
    shared.event = 0
    state.ioEvents = [event, shared]
    state.devices = [
      DeviceState(
        name: "serial",
        fields: ["registers": [0, 0, 0, 3, 0, 0, 0, 0], "divisor": [1, 0]]),
      DeviceState(name: "progress", fields: ["ready": [1], "mark": [2], "misunderstoodCommands": [0]]),
    ]
    state.memory = MemoryReference(
      file: "made-up.memory", id: 0xfeed, size: state.configuration.memory, pages: 17, checksum: 0xcafe)
    state.vcpus = (0..<2).map { vcpu(id: $0) }
    return state
  }

  private static func vcpu(id: UInt32) -> VCPUState {
    var vcpu = VCPUState()
    vcpu.id = id
    vcpu.mpState = id == 0 ? .runnable : .halted
    vcpu.specialRegisters.apicBase = APICBase(isBootstrapProcessor: id == 0, mode: .x2APIC)
    vcpu.specialRegisters.cs.type = 0xb
    vcpu.specialRegisters.cs.unusable = 1
    vcpu.specialRegisters.injectedInterrupt = [0x31]
    vcpu.specialRegisters.pageDirectoryPointers = [1, 2, 3, .max]
    vcpu.specialRegisters.cr8 = 4
    vcpu.localAPIC.setID(id, mode: .x2APIC)
    vcpu.localAPIC.taskPriority = Priority(rawValue: 0x40)
    vcpu.localAPIC.interruptRequest = [0x70, 0xff]
    vcpu.registers.rip = .max
    vcpu.debugRegisters.dr0 = 0x1000
    vcpu.events.nmi.pending = 2
    vcpu.events.interrupt.shadow = 2
    vcpu.events.exception.errorCode = 4
    vcpu.events.smi = VCPUEvents.SMI()
    vcpu.events.tripleFault = false
    vcpu.xsave = [UInt8](repeating: 0, count: 4096)
    vcpu.xsave[512] = 3
    vcpu.extendedControlRegisters = [ExtendedControlRegister(number: 0, value: 7)]
    vcpu.msrs = [
      MSREntry(index: MSR.tsc, value: 1 << 63),
      MSREntry(index: MSR.apicBase, value: vcpu.specialRegisters.apicBase.rawValue),
    ]
    vcpu.cpuid = [
      CPUIDEntry(function: 0, eax: 0xb, ebx: 1, ecx: 2, edx: 3),
      CPUIDEntry(function: 0xb, index: 1, hasSignificantIndex: true, edx: id),
    ]
    vcpu.nestedState = id == 0 ? [1, 2, 3] : nil
    vcpu.settings.vapicAddress = 0x50_0000
    vcpu.settings.reportsTPRAccesses = true
    vcpu.tscKHz = 2_000_000
    vcpu.tscOffset = UInt64.max - 5
    return vcpu
  }
}
