/// What a machine is made of.
public struct MachineConfiguration: Hashable, Sendable {
  /// Where the IOAPIC and the PIC are.
  public enum IRQChip: String, Hashable, Sendable, CaseIterable {
    /// In the kernel (KVM_CREATE_IRQCHIP), with a PIT.
    case kernel
    /// The local APICs in the kernel, the IOAPIC in this process, no PIC and no PIT (KVM_CAP_SPLIT_IRQCHIP).
    case split
  }

  /// How a guest finds its local APICs when it asks nobody.
  public enum APIC: String, Hashable, Sendable, CaseIterable {
    /// CPUID has no x2APIC bit: memory-mapped registers only.
    case xAPIC = "xapic"
    /// CPUID has it.
    case x2APIC = "x2apic"
  }

  /// Who starts the application processors.
  public enum Start: String, Hashable, Sendable, CaseIterable {
    /// The guest, with INIT and SIPI; they wait in real mode.
    case sipi
    /// The machine: each begins where the bootstrap processor does, with its index in RSI.
    case direct
  }

  /// The smallest and the largest guest memory, in bytes: 1 MiB, which flat code can do with, and 64 GiB.
  public static let memoryRange: ClosedRange<UInt64> = 1 << 20...64 << 30

  /// How many vCPUs, from 1; KVM says how many are too many.
  public var vcpus = 1
  /// Guest memory in bytes, a multiple of 4 KiB. It costs host memory only where the guest touches it.
  public var memory: UInt64 = 64 << 20
  /// Where the interrupt controllers are.
  public var irqChip = IRQChip.kernel
  /// What the guest is told of its local APICs.
  public var apic = APIC.x2APIC
  /// Who starts the application processors.
  public var start = Start.sipi
  /// The vCPUs' APIC ids by index, the bootstrap processor's first; empty for 0, 1, 2 and so on.
  public var vcpuIDs: [UInt32] = []
  /// The text that a guest finds as its arguments.
  public var arguments = ""
  /// Where a flat image goes; nil for an image that says it itself.
  public var loadAddress: UInt64?
  /// What kind of PC it is.
  public var profile = MachineProfile.standard
  /// The processor that the guest sees; nil for all that this host's KVM supports. A model that is set sets `apic`: it
  /// says itself whether there is x2APIC.
  public var cpu: CPUModel? {
    didSet { if let cpu { apic = cpu.has(.x2APIC) ? .x2APIC : .xAPIC } }
  }
  /// How many log records the guest has room for.
  public var logCapacity: UInt64 = 1 << 16

  /// The APIC id of every vCPU, by index.
  public var apicIDs: [UInt32] { vcpuIDs.isEmpty ? (0..<UInt32(max(vcpus, 0))).map(\.self) : vcpuIDs }

  /// Whether ids have 32 bits wherever KVM is told of one, and 0xff is no broadcast. In xAPIC mode ids have 8 bits and
  /// 0xff is the broadcast, as ever; and unit tests ask for the broadcast as processors have it, where no id needs more.
  var needs32BitIDs: Bool {
    switch profile {
    case .standard: apic == .x2APIC
    case .unitTest: apic == .x2APIC && apicIDs.contains { $0 >= 255 }
    }
  }

  /// One vCPU, 64 MiB, everything in the kernel, x2APIC.
  public init() {}
}
