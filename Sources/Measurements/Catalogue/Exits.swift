import APIC
import GuestContract

extension Measurement {
  /// What measuring takes by itself: part of every other figure.
  static let nothing = [cost("tsc", "Two readings of the TSC with nothing between", .nothing)]
}

extension Measurement {
  /// Port accesses that leave to the VMM and come back.
  static let portExits = [
    cost("exit.port.in", "IN of 32 bits", stimulus: "its command port answers 0", .readPort),
    cost("exit.port.out", "OUT of 32 bits", stimulus: "its command port notes a mark", .writePort),
  ]
}

extension Measurement {
  /// Accesses to memory that no slot has, which leave to the VMM and come back.
  static let memoryExits = [
    cost("exit.mmio.read", "A read of 32 bits from a device's memory", stimulus: "nobody claims it: ones", .readMemory),
    cost("exit.mmio.write", "A write of 32 bits to a device's memory", stimulus: "nobody claims it", .writeMemory),
  ]
}

extension Measurement {
  /// Accesses to an MSR that KVM keeps itself (IA32_MISC_ENABLE), which no hardware lets through.
  static let msrExits = [
    cost("exit.msr.read", "RDMSR of IA32_MISC_ENABLE", .readMSR),
    cost("exit.msr.write", "WRMSR of IA32_MISC_ENABLE", .writeMSR),
  ]
}

extension Measurement {
  /// The least that an exit to the kernel takes.
  static let cpuidExit = cost("exit.cpuid", "CPUID of leaf 0", .cpuid)
}

extension Measurement {
  /// A halt that ends at once.
  static let haltExit = Measurement(
    "exit.hlt", "HLT with an interrupt waiting, and its delivery", .cost,
    span: "from before STI and HLT to the handler", by: .guest(.halt, target: .halted, vcpus: 1))
}

extension Measurement {
  /// The end of an edge-triggered interrupt's service.
  static let endOfInterrupt = cost(
    "eoi", "The EOI of an edge-triggered interrupt", modes: [.xAPIC, .x2APIC], .endOfInterrupt)
}

extension Measurement {
  /// Changes of the task priority.
  static let taskPriority = [
    cost("tpr", "A write of 0x10 to the TPR", modes: [.xAPIC, .x2APIC], .taskPriority),
    cost("cr8", "A write of 1 to CR8", .writeCR8),
  ]
}
