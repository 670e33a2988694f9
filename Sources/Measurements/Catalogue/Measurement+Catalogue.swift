import APIC
import GuestContract
import KVM

extension Measurement {
  /// Everything that `lapwing bench` measures, in the order in which it is reported. A new measurement is a value in
  /// this file, and its name here.
  public static let catalogue: [Measurement] = [
    nothing, portExits, memoryExits, msrExits, [cpuidExit], [haltExit], [endOfInterrupt], taskPriority,
    [selfIPI], ipis, signalledMSIs, irqfds, ioEvents, oneShotTimer, periodicTimer, deadlineTimer, [snapshotPause],
  ].flatMap(\.self)
}

extension Measurement {
  /// How long a snapshot keeps its guest from running, as the guest sees it.
  static let snapshotPause = Measurement(
    "snapshot.pause", "The pause of a guest that a snapshot is taken of", .latency,
    span: "from the last reading of the TSC before the snapshot to the first after it",
    stimulus: "takes a snapshot, state and memory, while the guest runs", needs: [.signalMSI],
    by: .snapshots(vcpus: 1))
}

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

extension Measurement {
  /// An IPI that its sender takes.
  static let selfIPI = Measurement(
    "ipi.self", "An IPI to oneself", .latency, span: "from before the write to the ICR to the handler",
    modes: [.xAPIC, .x2APIC], by: .guest(.selfIPI, target: .running, vcpus: 1))
}

extension Measurement {
  /// An IPI to another vCPU, with a physical destination.
  static let ipis = latencies(
    "ipi", "An IPI", from: "the write to the ICR", modes: [.xAPIC, .x2APIC], .ipi)
}

extension Measurement {
  /// An MSI that the VMM sends by a call, as a device that is emulated there does.
  static let signalledMSIs = latencies(
    "msi.ioctl", "An MSI by KVM_SIGNAL_MSI", from: "the OUT that asks for it", needs: [.signalMSI],
    stimulus: "answers the port exit with KVM_SIGNAL_MSI", .signalMSI)
}

extension Measurement {
  /// An MSI that comes of a write to an eventfd, as a device of another thread or process sends it.
  static let irqfds = latencies(
    "msi.irqfd", "An MSI by an irqfd", from: "the OUT that asks for it", needs: [.irqFD, .irqRouting],
    stimulus: "answers the port exit with a write to the eventfd", .irqfd)
}

extension Measurement {
  /// A doorbell that KVM answers without the VMM: what ringing costs, and how long it takes to an interrupt where the
  /// eventfd is an irqfd too.
  static let ioEvents =
    [
      cost(
        "ioeventfd.out", "An OUT that signals an eventfd", needs: [.ioEventFD],
        stimulus: "has assigned an eventfd to the port", .writeEvent)
    ]
    + latencies(
      "ioeventfd.irqfd", "An eventfd that is ioeventfd and irqfd", from: "the OUT",
      needs: [.ioEventFD, .irqFD, .irqRouting], stimulus: "has assigned the eventfd to both", .eventIRQFD)
}

extension Measurement {
  /// The local APIC's timer, set for 1 ms. A moment that is counted from a write is counted from before it, so that the
  /// exit of that write is part of the lateness.
  static let oneShotTimer = lateness(
    "timer.oneshot", "A one-shot timer", from: "1 ms after the write of the count", .oneShot)

  /// Each period is counted from the write that began the burst of 16, so that lateness does not add up unseen.
  static let periodicTimer = lateness(
    "timer.periodic", "A periodic timer", from: "the end of its period", .periodic)

  /// The TSC itself says when.
  static let deadlineTimer = lateness(
    "timer.deadline", "A TSC-deadline timer", from: "the deadline", needs: [.tscDeadlineTimer], .deadline)
}
