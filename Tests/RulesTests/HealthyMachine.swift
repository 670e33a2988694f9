import APIC
import KVM
import MachineState
import TestStates

/// A machine with something in every part that a rule looks at, and nothing wrong with it.
enum HealthyMachine {
  static func state(vcpus: Int = 2, mode: APICMode = .x2APIC) -> MachineState {
    var state = MadeUpMachine.state(vcpus: vcpus, mode: mode)
    state.time.hostMonotonic = 5_000_000_000
    state.time.clock = ClockState(nanoseconds: 500_000_000)
    state.ioapic?.entries[4] = RedirectionEntry(vector: 0x34, destination: .physical(0))
    state.ioapic?.entries[9] = RedirectionEntry(vector: 0x39, destination: .physical(0), triggerMode: .level)
    state.ioapic?.entries[9].remoteIRR = true
    state.vcpus[0].localAPIC.interruptRequest = [0x34, 0x39]
    state.vcpus[0].localAPIC.triggerModes = [0x39]
    for index in state.vcpus.indices {
      let id = UInt32(index)
      state.vcpus[index].cpuid = [
        CPUIDEntry(function: 1, ebx: id << 24, ecx: 1 << 24 | 1 << 21),
        CPUIDEntry(function: 0xb, index: 0, hasSignificantIndex: true, ebx: 1, edx: id),
      ]
      state.vcpus[index].specialRegisters.cr0 = 0x8000_0011
      state.vcpus[index].localAPIC.setLVT(.timer, to: .timer(0x40, mode: .tscDeadline))
      state.vcpus[index].msrs[2].value = 1_100_000_000
    }
    state.settings.routes = GSIRoute.defaults + [.msi(gsi: 24, MSIMessage(vector: 0x70, destination: .physical(0)))]
    state.irqfds = [IRQFDState(gsi: 24)]
    return state
  }
}
