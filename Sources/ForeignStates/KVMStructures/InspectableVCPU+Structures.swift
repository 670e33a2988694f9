import APIC
import KVM
import MachineState

/// What KVM answered of a vCPU, as programs keep it that keep its structures. A part that was not kept is nil.
struct VCPUStructures {
  var registers: StructureBytes?
  var specialRegisters: StructureBytes?
  var debugRegisters: StructureBytes?
  var events: StructureBytes?
  var mpState: UInt32?
  var localAPIC: LocalAPICState?
  var cpuid: [CPUIDEntry]?
  var msrs: [MSREntry]?
  var tscKHz: UInt32?
}

extension InspectableVCPU {
  /// Takes what KVM answered.
  mutating func fill(_ kept: VCPUStructures) {
    if let raw = kept.registers {
      values.registers = Registers(raw)
      fill(.general)
    }
    if let raw = kept.specialRegisters {
      values.specialRegisters = SpecialRegisters(raw)
      fill(.control, .segments, .taskPriority, .apicBase, .specials)
    }
    if let raw = kept.debugRegisters {
      values.debugRegisters = DebugRegisters(raw)
      fill(.debug)
    }
    if let raw = kept.events {
      values.events = VCPUEvents(raw)
      fill(.events, .shadow, .systemManagement)
    }
    if let state = kept.mpState.flatMap(MPState.init(rawValue:)) {
      values.mpState = state
      fill(.mpState)
    }
    if let page = kept.localAPIC { set(page: page) }
    if let entries = kept.cpuid {
      values.cpuid = entries
      fill(.cpuid)
    }
    if let entries = kept.msrs {
      values.msrs = entries
      fill(.msrs, .deadline)
    }
    if let frequency = kept.tscKHz, frequency > 0 {
      values.tscKHz = frequency
      fill(.tscFrequency)
    }
  }
}
