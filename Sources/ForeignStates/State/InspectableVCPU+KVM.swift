import KVM
import MachineState

/// Parts as KVM answered them, which programs keep that keep its structures.
extension InspectableVCPU {
  mutating func take(_ registers: Registers) {
    values.registers = registers
    fill(.general)
  }

  mutating func take(_ registers: SpecialRegisters) {
    values.specialRegisters = registers
    fill(.control, .segments, .taskPriority, .apicBase, .specials)
  }

  mutating func take(_ registers: DebugRegisters) {
    values.debugRegisters = registers
    fill(.debug)
  }

  mutating func take(_ events: VCPUEvents) {
    values.events = events
    fill(.events, .shadow, .systemManagement)
  }

  mutating func take(_ state: MPState?) {
    guard let state else { return }
    values.mpState = state
    fill(.mpState)
  }

  mutating func take(_ leaves: [CPUIDEntry]) {
    values.cpuid = leaves
    fill(.cpuid)
  }

  mutating func take(_ registers: [MSREntry]) {
    values.msrs = registers
    fill(.msrs, .deadline)
  }

  mutating func take(tscKHz frequency: UInt32?) {
    guard let frequency, frequency > 0 else { return }
    values.tscKHz = frequency
    fill(.tscFrequency)
  }
}
