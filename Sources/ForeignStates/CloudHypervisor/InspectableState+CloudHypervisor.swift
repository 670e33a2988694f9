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

/// The tree of snapshots in Cloud Hypervisor's `state.json`: a component has its own state, which is JSON in a string, and
/// the snapshots of what it is made of (cloud-hypervisor, vm-migration/src/lib.rs).
struct CloudHypervisorTree {
  private let root: JSONValue
  /// Which component it is, for a failure.
  private let path: String

  /// A vCPU takes some 50 KB. What is read is here four times over: the file, its strings, one of them, and what is in it.
  static let sizeLimit = 32 << 20
  private static let limits = JSONLimits(
    bytes: sizeLimit, values: 1 << 20, stringBytes: sizeLimit, takesUnsigned: true)

  /// Whether a document may be one: the first member's name is that of the tree's, which no state of Lapwing's has.
  static func matches(_ text: [UInt8]) -> Bool {
    let first = text.prefix(256).split(separator: UInt8(ascii: "\"")).dropFirst().first
    return first.map { $0.elementsEqual("snapshots".utf8) || $0.elementsEqual("snapshot_data".utf8) } ?? false
  }

  /// Reads a document.
  init(_ text: [UInt8]) throws(ForeignStateError) {
    root = try Self.json(text, "state.json")
    path = ""
    guard root["snapshots"] != nil else { throw failure("the member 'snapshots' expected") }
  }

  private init(_ root: JSONValue, _ path: String) {
    self.root = root
    self.path = path
  }

  func failure(_ problem: String) -> ForeignStateError {
    ForeignStateError(.cloudHypervisor, path.isEmpty ? problem : "\(path.excerpt): \(problem)")
  }

  /// What a component is made of, by name.
  var parts: [(name: String, tree: CloudHypervisorTree)] {
    guard case .object(let members) = root["snapshots"] else { return [] }
    return members.map { ($0.name, CloudHypervisorTree($0.value, path.isEmpty ? $0.name : "\(path)/\($0.name)")) }
  }

  /// A part of a component; nil where there is none.
  subscript(name: String) -> CloudHypervisorTree? { parts.first { $0.name == name }?.tree }

  /// The component's own state; nil where it has none.
  func state() throws(ForeignStateError) -> JSONValue? {
    guard let data = root["snapshot_data"], data != .null else { return nil }
    guard let text = data["state"]?.text else {
      throw failure(
        "a state that is text expected; Cloud Hypervisor before version 39 has bytes there, which are not read")
    }
    return try Self.json(Array(text.utf8), path)
  }

  private static func json(_ text: [UInt8], _ path: String) throws(ForeignStateError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: text, limits: limits)
    } catch {
      throw ForeignStateError(.cloudHypervisor, "\(path.excerpt): \(error)")
    }
  }
}

extension JSONValue {
  /// The bytes of an array of numbers from -128 to 255; nil for anything else.
  var bytes: [UInt8]? {
    guard let elements else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(elements.count)
    for element in elements {
      guard let number = element.integer, (-128...255).contains(number) else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: number))
    }
    return bytes
  }

  /// A number as 64 bits; nil for anything else.
  var word: UInt64? { integer.map { UInt64(bitPattern: $0) } }
}
