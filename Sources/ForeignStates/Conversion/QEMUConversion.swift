import APIC
public import KVM
public import MachineState
import Support
import SystemPackage
public import VMM

/// A migration stream of QEMU's that becomes a snapshot of Lapwing's: the machine's state with its memory.
///
/// What the stream does not hold comes from elsewhere: CPUID from the model that QEMU was given, the routes from what QEMU sets
/// (`kvm_pc_setup_irq_routing`). What a restore needs and nobody has is `missing`.
public struct QEMUConversion {
  /// The state as far as the stream holds it.
  public let state: InspectableState
  /// What a machine cannot go on without, for a person; empty where it can.
  public let missing: [String]
  /// The devices whose state is left out, since the machine that goes on has none such.
  public let leftOut: [String]

  private let memory: UInt64
  private let serial: QEMUDevice?
  private let virtualClock: UInt64
  private let processors: [QEMUDevice]

  /// The devices whose state is taken, or has nothing that a machine needs.
  private static let taken = InspectableState.qemuDevices.union(["timer", "serial", "kvm-tpr-opt", "globalstate"])

  /// Whether a file begins like a stream, libvirt's header before it or not.
  ///
  /// - Parameter source: the file's bytes, which stay there.
  public static func matches(_ source: inout ByteSource) -> Bool {
    (try? source.peek(QEMUReader.beginning)).map(QEMUReader.matches) ?? false
  }

  /// Reads a stream to its end.
  ///
  /// - Parameters:
  ///   - source: the stream.
  ///   - spool: what takes its memory.
  /// - Throws: `ForeignStateError`.
  public init(_ source: ByteSource, memory spool: MemorySpool) throws(ForeignStateError) {
    var reader = try QEMUReader(file: source)
    var sink = QEMUMemorySpool(spool)
    let stream = try QEMUStream(&reader, &sink)
    let description = try QEMUDescription(stream, wanted: Self.taken)
    state = try InspectableState(stream, description)
    memory = stream.blocks.first { $0.name == QEMUMemorySpool.block }?.size ?? 0
    serial = description.devices(named: "serial").first
    virtualClock = description.devices(named: "timer").first?.number("cpu_clock_offset") ?? 0
    processors = description.devices(named: "cpu")
    var seen: Set<String> = []
    leftOut = description.names.filter { !Self.taken.contains($0) && seen.insert($0).inserted }
    missing = Self.missing(state, machine: stream.machine, memory: memory, processors)
  }

  private static func missing(
    _ state: InspectableState, machine: String, memory: UInt64, _ processors: [QEMUDevice]
  ) -> [String] {
    var missing: [String] = []
    func need(_ isThere: Bool, _ what: @autoclosure () -> String) { if !isThere { missing.append(what()) } }
    let isPC = machine.hasPrefix("pc-i440fx-") || machine.hasPrefix("pc-q35-")
    need(isPC, "a PC with its memory at known places (pc or q35), which \(machine.excerpt.debugDescription) is not")
    need(memory > 0, "guest memory in one block \(QEMUMemorySpool.block)")
    // Where QEMU puts memory that has more than one place: pc_init1, pc_q35_init.
    let gap: ClosedRange<UInt64> = machine.hasPrefix("pc-q35-") ? 0xb000_0001...UInt64.max : 0xc000_0001...0xdfff_ffff
    need(!gap.contains(memory), "memory that lies where Lapwing's does, which that of \(memory >> 20) MiB does not")
    need(MachineConfiguration.memoryRange.contains(memory) || memory == 0, "memory of 1 MiB to 64 GiB")
    need(state.knows(.pics), "the two PICs")
    need(state.knows(.ioapic), "the IOAPIC")
    need(state.knows(.pit), "the PIT")
    for (index, vcpu) in state.vcpus.enumerated() {
      let parts: [InspectableVCPU.Part] = [
        .mpState, .apicBase, .general, .control, .segments, .debug, .events, .localAPIC(.spurious), .tscFrequency,
      ]
      for part in parts where !vcpu.knows(part) { missing.append("\(part.words) of vCPU \(index)") }
      if vcpu.values.events.smi?.inSMM == true { missing.append("the memory of SMM, in which vCPU \(index) is") }
      guard index < processors.count else { continue }
      if let features = processors[index].number("env.xcr0"), features & ~0x7 != 0 {
        missing.append("the extended state of vCPU \(index) beyond AVX (XCR0 is 0x\(String(features, radix: 16)))")
      }
      if processors[index].hasFields(below: "nested_state") || processors[index].hasFields(below: "env.nested_state") {
        missing.append("the state of a nested hypervisor on vCPU \(index)")
      }
    }
    return missing
  }

  /// What the machine is made of, of which CPUID follows.
  ///
  /// - Parameter cpu: the processor that QEMU was given (`-cpu`).
  public func configuration(cpu: CPUModel) -> MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.vcpus = state.vcpus.count
    configuration.memory = memory
    configuration.profile = .unitTest(UnitTestPlatform())
    configuration.cpu = cpu
    let ids = state.vcpus.map(\.values.id)
    if ids != ids.indices.map({ UInt32($0) }) { configuration.vcpuIDs = ids }
    return configuration
  }

  /// The state, whole. Only where nothing is `missing`.
  ///
  /// - Parameters:
  ///   - configuration: what the machine is made of.
  ///   - cpuid: what CPUID answers on each vCPU.
  ///   - guest: the guest's name.
  /// - Throws: `MalformedState` where what comes out contradicts itself.
  public func machineState(
    _ configuration: MachineConfiguration, cpuid: [[CPUIDEntry]], guest: String
  ) throws(MalformedState) -> MachineState {
    var machine = state.machine
    machine.guest = guest
    machine.configuration = configuration
    machine.settings.pit = .init(speakerDummy: true)
    machine.settings.routes = Self.routes
    // The PIT's load times count in this.
    machine.time.hostMonotonic = virtualClock
    machine.time.hostTSC = state.vcpus.first?.tsc ?? 0
    for index in machine.vcpus.indices {
      let device = index < processors.count ? processors[index] : nil
      machine.vcpus[index].complete(device, cpuid: index < cpuid.count ? cpuid[index] : [])
    }
    if let serial { machine.devices = [DeviceState(serial)] }
    try machine.validate()
    return machine
  }

  /// QEMU's routes: line 0, the PIT's, to pin 2 of the IOAPIC, and all others to the pin of their number.
  private static let routes: [GSIRoute] = GSIRoute.defaults.compactMap { route in
    guard case .irqChip(let gsi, .ioapic, _) = route else { return route }
    return gsi == 2 ? nil : .irqChip(gsi: gsi, chip: .ioapic, pin: gsi == 0 ? 2 : gsi)
  }
}

extension DeviceState {
  /// The first serial port (QEMU, hw/char/serial.c), as the machine's own has it.
  fileprivate init(_ serial: QEMUDevice) {
    func value(_ name: String) -> UInt64 { serial.number("state." + name) ?? 0 }
    let divider = value("divider")
    self.init(
      name: "serial",
      fields: [
        "registers": [0, value("ier"), 0, value("lcr"), value("mcr"), 0, 0, value("scr")].map { $0 & 0xff },
        "divisor": [divider & 0xff, divider >> 8 & 0xff],
        "fifoControl": [value("fcr_vmstate") & 0xc9],
        // A character that came and was not read.
        "received": value("lsr") & 1 == 1 ? [value("rbr") & 0xff] : [],
        "pending": [value("lsr") >> 1 & 1, value("msr") & 0xf, value("iir") & 0xf == 2 ? 1 : 0],
      ])
  }
}

/// Takes the pages of a PC's memory.
struct QEMUMemorySpool: QEMUPageSink {
  static let block = "pc.ram"
  private let spool: MemorySpool

  init(_ spool: MemorySpool) { self.spool = spool }

  mutating func page(of block: String, at address: UInt64, _ reader: inout QEMUReader) throws(ForeignStateError) {
    guard block == Self.block else { return try reader.skip(4096, "a page of memory") }
    guard address < MemorySpool.limit else { throw reader.failure("memory of at most 64 GiB expected") }
    let page = try reader.bytes(4096, "a page of memory")
    try keep { () throws(Errno) in try spool.write(page, at: address) }
  }

  mutating func zeroPage(of block: String, at address: UInt64) throws(ForeignStateError) {
    guard block == Self.block else { return }
    try keep { () throws(Errno) in try spool.clear(at: address) }
  }

  private func keep(_ body: () throws(Errno) -> Void) throws(ForeignStateError) {
    do throws(Errno) { try body() } catch {
      throw ForeignStateError(.qemu, "its memory cannot be kept: \(error)")
    }
  }
}
