import APIC
import KVM
import MachineState

/// What stands in Firecracker's state up to the vCPUs; the devices behind them are left out.
struct FirecrackerState {
  let memoryMiB: UInt64
  private(set) var vcpus: [InspectableVCPU] = []
  let pit: PITState
  let clock: ClockState
  let pics: MachineState.PICPair
  let ioapic: IOAPICState

  /// More than Firecracker gives a machine, and no less than KVM does.
  private static let vcpuLimit = 4096

  /// Reads a state as one layout has it.
  init(_ file: FirecrackerFile, _ layout: FirecrackerLayout) throws(ForeignStateError) {
    var reader = BincodeReader(file.bytes, from: file.state.lowerBound, end: file.state.upperBound)
    memoryMiB = try Self.readInformation(&reader)
    let isInVM = layout.memory == .inVM || layout.memory == .inVMWithSlots
    if !isInVM { try Self.skipMemory(&reader, layout) }
    if layout.capabilitiesBefore { try Self.skipCapabilities(&reader) }
    if isInVM { try Self.skipMemory(&reader, layout) }
    if let spaces = layout.addressSpaces { try Self.skipAllocator(&reader, addressSpaces: spaces) }
    pit = try reader.structure(.pit)
    clock = try reader.structure(.clock)
    pics = MachineState.PICPair(master: try reader.structure(.pic), slave: try reader.structure(.pic))
    ioapic = try reader.structure(.ioapic)
    if !layout.capabilitiesBefore { try Self.skipCapabilities(&reader) }
    let count = try reader.count(of: 2048, "a number of vCPUs")
    guard (1...Self.vcpuLimit).contains(count) else {
      throw reader.failure("1 to \(Self.vcpuLimit) vCPUs expected, not \(count)", back: 8)
    }
    for index in 0..<count { vcpus.append(try Self.vcpu(index, &reader, layout)) }
  }

  /// The size of memory; the rest of what Firecracker says of the machine is left out.
  private static func readInformation(_ reader: inout BincodeReader) throws(ForeignStateError) -> UInt64 {
    let memoryMiB = try reader.integer(UInt64.self, "the size of memory")
    _ = try reader.bool("whether there is SMT")
    _ = try reader.variant(below: 16, "a CPU template")
    _ = try reader.string("the kernel's path")
    for what in ["an initrd", "arguments"] {
      _ = try reader.option(what) { (reader) throws(ForeignStateError) in try reader.string(what) }
    }
    _ = try reader.variant(below: 4, "a kind of pages")
    return memoryMiB
  }

  private static func skipMemory(
    _ reader: inout BincodeReader, _ layout: FirecrackerLayout
  ) throws(ForeignStateError) {
    for _ in 0..<(try reader.count(of: 16, "a number of memory regions")) {
      _ = try reader.integer(UInt64.self, "a region's address")
      _ = try reader.integer(UInt64.self, "a region's size")
      switch layout.memory {
      case .beforeWithOffsets: _ = try reader.integer(UInt64.self, "a region's offset")
      case .before, .inVM: break
      case .inVMWithSlots:
        _ = try reader.variant(below: 2, "a region's type")
        for _ in 0..<(try reader.count(of: 1, "a number of slots")) { _ = try reader.bool("whether a slot is plugged") }
      }
    }
  }

  private static func skipCapabilities(_ reader: inout BincodeReader) throws(ForeignStateError) {
    for _ in 0..<(try reader.count(of: 8, "a number of capabilities")) { _ = try reader.string("a capability") }
  }

  /// Identifiers and address spaces (crate `vm-allocator` 0.1.3).
  private static func skipAllocator(
    _ reader: inout BincodeReader, addressSpaces: Int
  ) throws(ForeignStateError) {
    for _ in 0..<2 {
      _ = try reader.integer(UInt32.self, "an allocator's first number")
      _ = try reader.option("a next number") { (reader) throws(ForeignStateError) in
        try reader.integer(UInt32.self, "a next number")
      }
      _ = try reader.integer(UInt32.self, "an allocator's last number")
      for _ in 0..<(try reader.count(of: 4, "a number of freed numbers")) {
        _ = try reader.integer(UInt32.self, "a freed number")
      }
    }
    for _ in 0..<addressSpaces {
      for _ in 0..<2 { _ = try reader.integer(UInt64.self, "the bounds of an address space") }
      try skipTree(&reader, depth: 0)
    }
  }

  private static func skipTree(_ reader: inout BincodeReader, depth: Int) throws(ForeignStateError) {
    // A balanced tree of more nodes than a file can have is not that deep.
    guard depth < 64 else { throw reader.failure("a tree of addresses of at most 64 levels expected") }
    guard try reader.bool("whether there is a node") else { return }
    for _ in 0..<2 { _ = try reader.integer(UInt64.self, "a node's bounds") }
    _ = try reader.variant(below: 2, "a node's state")
    for _ in 0..<2 { try skipTree(&reader, depth: depth + 1) }
    _ = try reader.integer(UInt64.self, "a node's height")
  }

  private static func vcpu(
    _ index: Int, _ reader: inout BincodeReader, _ layout: FirecrackerLayout
  ) throws(ForeignStateError) -> InspectableVCPU {
    var vcpu = InspectableVCPU(unknown: index)
    // Firecracker numbers its vCPUs from 0 on.
    vcpu.fill(.id)
    try reader.skipStructure(8, "kvm_cpuid2")
    vcpu.take(try reader.structures(.cpuidEntry))
    var msrs: [MSREntry] = []
    for _ in 0..<(try reader.count(of: 24, "a number of lists of MSRs")) {
      try reader.skipStructure(8, "kvm_msrs")
      msrs += try reader.structures(.msrEntry)
    }
    vcpu.take(msrs)
    vcpu.take(try reader.structure(.debugRegisters))
    vcpu.set(page: try reader.structure(.localAPIC))
    vcpu.take(try reader.structure(.mpState))
    vcpu.take(try reader.structure(.registers))
    vcpu.take(try reader.structure(.specialRegisters))
    vcpu.take(try reader.structure(.events))
    try reader.skipStructure(392, "kvm_xcrs")
    try reader.skipStructure(4096, "kvm_xsave")
    if layout.hasSizedExtendedState {
      for _ in 0..<(try reader.count(of: 4, "a size of the extended state")) {
        _ = try reader.integer(UInt32.self, "the extended state")
      }
    }
    vcpu.take(
      tscKHz: try reader.option("a frequency") { (reader) throws(ForeignStateError) in
        try reader.integer(UInt32.self, "a frequency")
      })
    return vcpu
  }
}

/// What differs between the versions of Firecracker's `vmstate` that are read (firecracker, src/vmm/src/persist.rs,
/// SNAPSHOT_VERSION). The number is not Firecracker's own version, and 8.0.0 was given to two layouts.
struct FirecrackerLayout {
  /// Where the regions of memory stand.
  enum Memory {
    /// Before the state of the VM, each with its offset in the memory file.
    case beforeWithOffsets
    /// Before the state of the VM.
    case before
    /// In the state of the VM.
    case inVM
    /// There, each with its type and which of its slots are plugged.
    case inVMWithSlots
  }

  var memory: Memory
  /// Whether the capabilities that were asked for stand before the state of the VM, not at its end.
  var capabilitiesBefore: Bool
  /// Whether the extended state has its size before it (`kvm_xsave2`).
  var hasSizedExtendedState: Bool
  /// How many address spaces the allocator of resources has; nil where it is not kept.
  var addressSpaces: Int?

  /// The layouts of a version, the likelier first; none for a version that is not read.
  static func layouts(major: Int) -> [FirecrackerLayout] {
    switch major {
    case 2...4:
      [FirecrackerLayout(memory: .beforeWithOffsets, capabilitiesBefore: false, hasSizedExtendedState: false)]
    case 5: [FirecrackerLayout(memory: .before, capabilitiesBefore: true, hasSizedExtendedState: false)]
    case 6: [FirecrackerLayout(memory: .inVM, capabilitiesBefore: true, hasSizedExtendedState: true)]
    case 8:
      [
        FirecrackerLayout(
          memory: .inVMWithSlots, capabilitiesBefore: true, hasSizedExtendedState: true, addressSpaces: 4),
        FirecrackerLayout(memory: .inVM, capabilitiesBefore: true, hasSizedExtendedState: true, addressSpaces: 3),
      ]
    default: []
    }
  }
}

extension InspectableState {
  /// What Firecracker saved: its file `vmstate`. Guest memory is in another file.
  ///
  /// - Parameter bytes: the file.
  /// - Throws: `ForeignStateError`, for a version that is not read with its number.
  public init(firecracker bytes: [UInt8]) throws(ForeignStateError) {
    let state = try Self.state(of: try FirecrackerFile(bytes))
    self.init(format: .firecracker)
    remarks.append("\(state.memoryMiB) MiB of memory, in another file")
    for vcpu in state.vcpus { append(vcpu) }
    machine.settings.hasIRQChip = true
    machine.pit = state.pit
    machine.time.clock = state.clock
    machine.pics = state.pics
    machine.ioapic = state.ioapic
    fill(.allVCPUs, .guestClock, .pit, .pics, .picDetails, .ioapic, .ioapicAddress)
  }

  /// The state by the first of its version's layouts that it has; the failure is that of the first.
  private static func state(of file: FirecrackerFile) throws(ForeignStateError) -> FirecrackerState {
    var failure: ForeignStateError?
    for layout in FirecrackerLayout.layouts(major: file.major) {
      do throws(ForeignStateError) {
        return try FirecrackerState(file, layout)
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? ForeignStateError(.firecracker, "a version that is read expected")
  }
}
