import APIC
import JSON
import KVM
import MachineState
import Support
import VMM

extension InspectableState {
  /// What Cloud Hypervisor saved: the file `state.json` of a snapshot's folder.
  ///
  /// - Parameter text: the file.
  /// - Throws: `ForeignStateError`.
  public init(cloudHypervisor text: [UInt8]) throws(ForeignStateError) {
    let tree = try CloudHypervisorTree(text)
    self.init(format: .cloudHypervisor)
    // The keys are the vCPUs' numbers, sorted as text.
    guard let processors = tree["cpu-manager"] else { throw tree.failure("the vCPUs (cpu-manager) expected") }
    var vcpus: [(number: UInt32, tree: CloudHypervisorTree)] = []
    for (name, part) in processors.parts {
      guard let number = UInt32(name) else {
        throw processors.failure("numbers of vCPUs expected, not \(name.excerpt)")
      }
      vcpus.append((number, part))
    }
    guard (1...4096).contains(vcpus.count) else {
      throw processors.failure("1 to 4096 vCPUs expected, not \(vcpus.count)")
    }
    for (index, (number, part)) in vcpus.sorted(by: { $0.number < $1.number }).enumerated() {
      if index != Int(number) { remarks.append("vCPU \(index) is Cloud Hypervisor's vCPU \(number)") }
      append(try Self.vcpu(index, part))
    }
    fill(.allVCPUs)
    try fillChips(tree)
    if let clock = try tree.state()?["clock"], let raw = (clock["Kvm"] ?? clock["clock"]?["Kvm"])?.bytes,
      let value = KVMStructure.clock.value(of: raw)
    {
      machine.time.clock = value
      fill(.guestClock)
    }
  }

  /// The IOAPIC, which is Cloud Hypervisor's own; it has no PIC and no PIT.
  private mutating func fillChips(_ tree: CloudHypervisorTree) throws(ForeignStateError) {
    machine.configuration.irqChip = .split
    fill(.pics, .picDetails, .pit)
    guard let part = tree["device-manager"]?["__ioapic"], let state = try part.state() else { return }
    guard let entries = state["reg_entries"]?.elements?.compactMap(\.word), entries.count == IOAPIC.pinCount else {
      throw part.failure("\(IOAPIC.pinCount) entries (reg_entries) expected")
    }
    var chip = SplitIOAPICState()
    chip.id = UInt32(truncatingIfNeeded: state["id_reg"]?.word ?? 0)
    chip.selected = UInt8(truncatingIfNeeded: state["reg_sel"]?.word ?? 0)
    chip.entries = entries.map { RedirectionEntry(rawValue: $0) }
    machine.splitIOAPIC = chip
    fill(.ioapic)
  }

  private static func vcpu(_ index: Int, _ tree: CloudHypervisorTree) throws(ForeignStateError) -> InspectableVCPU {
    guard let state = try tree.state() else { throw tree.failure("the state of a vCPU expected") }
    guard let kept = state["Kvm"] else {
      throw tree.failure("a vCPU of KVM's expected (Kvm), which that of another hypervisor is not")
    }
    func structure<Value>(_ kind: KVMStructure<Value>, _ value: JSONValue?) throws(ForeignStateError) -> Value {
      guard let value = value?.bytes.flatMap(kind.value) else {
        throw tree.failure("\(kind.name) of \(kind.size) bytes expected")
      }
      return value
    }
    var vcpu = InspectableVCPU(unknown: index)
    vcpu.take(try structure(.registers, kept["regs"]))
    vcpu.take(try structure(.specialRegisters, kept["sregs"]))
    vcpu.take(try structure(.events, kept["vcpu_events"]))
    vcpu.take(try structure(.mpState, kept["mp_state"]))
    vcpu.set(page: try structure(.localAPIC, kept["lapic_state"]?["regs"]))
    vcpu.take(try cpuid(kept, tree))
    vcpu.take(try msrs(kept, tree))
    vcpu.take(tscKHz: kept["tsc_khz"]?.word.flatMap { UInt32(exactly: $0) })
    // Its number in KVM is its APIC id, which a topology makes another than its index.
    if let id = vcpu.leaf(0xb)?.edx {
      vcpu.values.id = id
      vcpu.fill(.id)
    }
    return vcpu
  }

  private static func cpuid(
    _ kept: JSONValue, _ tree: CloudHypervisorTree
  ) throws(ForeignStateError) -> [CPUIDEntry] {
    guard let elements = kept["cpuid"]?.elements, elements.count <= 4096 else {
      throw tree.failure("a list of CPUID's leaves expected (cpuid)")
    }
    return elements.map { entry in
      func word(_ name: String) -> UInt32 { UInt32(truncatingIfNeeded: entry[name]?.word ?? 0) }
      return CPUIDEntry(
        function: word("function"), index: word("index"), hasSignificantIndex: word("flags") & 1 == 1,
        eax: word("eax"), ebx: word("ebx"), ecx: word("ecx"), edx: word("edx"))
    }
  }

  private static func msrs(
    _ kept: JSONValue, _ tree: CloudHypervisorTree
  ) throws(ForeignStateError) -> [MSREntry] {
    guard let elements = kept["msrs"]?.elements, elements.count <= 65536 else {
      throw tree.failure("a list of MSRs expected (msrs)")
    }
    var entries: [MSREntry] = []
    for element in elements {
      guard let index = element["index"]?.word.flatMap({ UInt32(exactly: $0) }), let value = element["data"]?.word
      else {
        throw tree.failure("index and data of an MSR expected")
      }
      entries.append(MSREntry(index: index, value: value))
    }
    return entries
  }
}
