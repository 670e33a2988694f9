import APIC
public import JSON
public import KVM
import Synchronization
public import VMM

extension MachineState {
  /// What this state needs and a host lacks, each by name. An empty list means that the host can take it, as far as it
  /// says so itself.
  ///
  /// - Throws: `KVMError`; in practice never.
  public func differences(from system: System) throws(KVMError) -> [HostDifference] {
    var differences: [HostDifference] = []
    try checkCapabilities(system, &differences)
    try checkMSRs(system, &differences)
    try checkFeatures(system, &differences)
    let area = max(try system.check(.xsave2), XSAVEArea.leastSize)
    for (index, vcpu) in vcpus.enumerated() where vcpu.xsave.count > area {
      if vcpu.xsave[area...].contains(where: { $0 != 0 }) {
        differences.append(
          HostDifference(
            "XSAVE of vCPU \(index)", "\(vcpu.xsave.count) bytes, this host has room for \(area)", isLasting: true))
      }
    }
    return differences
  }

  private func checkCapabilities(_ system: System, _ differences: inout [HostDifference]) throws(KVMError) {
    var needed: [Capability] = [.irqChip, .immediateExit] + settings.capabilities.map(\.capability)
    if settings.pit != nil { needed.append(.pit2) }
    if vcpus.contains(where: { $0.nestedState != nil }) { needed.append(.nestedState) }
    if vcpus.contains(where: { !$0.extendedControlRegisters.isEmpty }) { needed.append(.xcrs) }
    if vcpus.contains(where: { $0.specialRegisters.pageDirectoryPointers != nil }) { needed.append(.sregs2) }
    if vcpus.contains(where: { $0.settings.vapicAddress != 0 || $0.settings.reportsTPRAccesses }) {
      needed.append(.vapic)
    }
    var seen: Set<Capability> = []
    for capability in needed where seen.insert(capability).inserted {
      if try system.check(capability) == 0 {
        differences.append(HostDifference(capability.name, "the state needs it, this host's KVM has none"))
      }
    }
    if let options = settings.capabilities.first(where: { $0.capability == .x2APICAPI })?.arguments.first {
      let known = UInt64(clamping: try system.check(.x2APICAPI))
      if options & ~known != 0 {
        differences.append(
          HostDifference("KVM_CAP_X2APIC_API", "this host's KVM has no flags \(hex(options & ~known))", isLasting: true)
        )
      }
    }
    let most = max(try system.check(.maxVCPUs), try system.check(.nrVCPUs), 1)
    if vcpus.count > most {
      differences.append(
        HostDifference("vCPUs", "the state has \(vcpus.count), this host runs at most \(most)", isLasting: true))
    }
    let pins = settings.routes?.map(\.gsi).max() ?? 0
    let routes = try system.check(.irqRouting)
    if routes > 0, pins >= routes {
      differences.append(
        HostDifference(
          "KVM_CAP_IRQ_ROUTING", "the state routes GSI \(pins), this host has \(routes)", isLasting: true))
    }
  }

  private func checkMSRs(_ system: System, _ differences: inout [HostDifference]) throws(KVMError) {
    let known = Set(try system.msrIndices()).union(ModelRegisters.all)
    var missing: Set<UInt32> = []
    // A register that this KVM does not save holds nothing but its reset value there: 0 is no loss.
    for vcpu in vcpus {
      for entry in vcpu.msrs where entry.value != 0 && !known.contains(entry.index) { missing.insert(entry.index) }
    }
    for index in missing.sorted() {
      differences.append(HostDifference("MSR \(hex(index))", "the state has it, this host's KVM does not"))
    }
  }

  private func checkFeatures(_ system: System, _ differences: inout [HostDifference]) throws(KVMError) {
    let supported = try system.supportedCPUID()
    for feature in CPUIDFeatures.registers {
      let wanted = vcpus.reduce(UInt32(0)) { $0 | feature.value(of: $1.cpuid) }
      var missing = wanted & ~feature.value(of: supported) & feature.mask
      if missing != 0 { missing &= ~feature.value(of: try HostFeatures.shown(by: system)) }
      for bit in UInt32(0)..<32 where missing >> bit & 1 == 1 {
        differences.append(
          HostDifference("\(feature.name) bit \(bit)", "the guest was shown this feature, this host does not have it"))
      }
    }
  }
}

/// Where CPUID has feature bits that a guest may rely on (SDM volume 2A, CPUID; AMD's APM volume 3, appendix E).
private struct CPUIDFeatures {
  let function: UInt32
  let index: UInt32
  let register: String
  let value: (CPUIDEntry) -> UInt32
  /// The bits that are features of the processor, and not KVM's to give or dependent on a register of the guest.
  var mask: UInt32 = .max

  var name: String { "CPUID \(hex(function))/\(index) \(register)" }

  /// The register's value in a table; 0 where the table has no such leaf.
  func value(of table: [CPUIDEntry]) -> UInt32 {
    table.first { $0.function == function && $0.index == index }.map(value) ?? 0
  }

  static var registers: [CPUIDFeatures] {
    [
      // Without x2APIC, TSC deadline, OSXSAVE and the bit by which a guest is told that it is one; without hyper-threading, which
      // is about the number of vCPUs.
      CPUIDFeatures(
        function: 1, index: 0, register: "ECX", value: \.ecx, mask: ~(1 << 21 | 1 << 24 | 1 << 27 | 1 << 31)),
      CPUIDFeatures(function: 1, index: 0, register: "EDX", value: \.edx, mask: ~(1 << 28 | 1 << 9)),
      CPUIDFeatures(function: 7, index: 0, register: "EBX", value: \.ebx),
      // Without OSPKE, which follows CR4.
      CPUIDFeatures(function: 7, index: 0, register: "ECX", value: \.ecx, mask: ~(1 << 4)),
      CPUIDFeatures(function: 7, index: 0, register: "EDX", value: \.edx),
      CPUIDFeatures(function: 7, index: 1, register: "EAX", value: \.eax),
      CPUIDFeatures(function: 0xd, index: 0, register: "EAX", value: \.eax),
      CPUIDFeatures(function: 0xd, index: 1, register: "EAX", value: \.eax),
      CPUIDFeatures(function: 0x8000_0001, index: 0, register: "ECX", value: \.ecx),
      CPUIDFeatures(function: 0x8000_0001, index: 0, register: "EDX", value: \.edx),
      CPUIDFeatures(function: 0x8000_0008, index: 0, register: "EBX", value: \.ebx),
      CPUIDFeatures(function: 0x4000_0001, index: 0, register: "EAX", value: \.eax),
    ]
  }
}

/// Something that a state needs and a host does not have.
public struct HostDifference: Hashable, Sendable, CustomStringConvertible {
  /// What it is about, such as `MSR 0x6e0`.
  public var subject: String
  /// What the state needs and what the host has.
  public var difference: String
  /// Whether one kernel and one processor never have it differently: parameters of modules, the microcode and the time since
  /// the start of the host may change others.
  public var isLasting: Bool

  /// A difference.
  public init(_ subject: String, _ difference: String, isLasting: Bool = false) {
    self.subject = subject
    self.difference = difference
    self.isLasting = isLasting
  }

  /// Both, for a person.
  public var description: String { "\(subject): \(difference)" }
}

/// The CPUID features that a vCPU of this host can have.
enum HostFeatures {
  private static let shown = Mutex<[CPUIDEntry]?>(nil)

  /// What a vCPU shows its guest that was given all that KVM supports: a back end may add features of the processor that
  /// KVM_GET_SUPPORTED_CPUID does not list (kvm_pvm does). Asked of a machine without a guest, once.
  static func shown(by system: System) throws(KVMError) -> [CPUIDEntry] {
    try shown.withLock { shown throws(KVMError) in
      if let shown { return shown }
      let vm = try system.createVM()
      let vcpu = try vm.createVCPU(id: 0)
      try vcpu.setCPUID(try system.supportedCPUID())
      let entries = try vcpu.cpuid()
      shown = entries
      return entries
    }
  }
}

/// Why a machine could not be made from a state. There is no machine then, nor part of one.
public enum RestoreError: Error, Sendable {
  /// The state contradicts itself.
  case malformed(MalformedState)
  /// This host cannot take the state: what it lacks, each by name.
  case hostDiffers([HostDifference])
  /// KVM refused a part of the state that looked as it should.
  case refused(path: String, problem: String)
  /// The machine could not be built.
  case machine(MachineError)
}

extension RestoreError {
  /// The error for a refusal of KVM's.
  ///
  /// - Parameters:
  ///   - error: KVM's answer.
  ///   - path: what of the state it was asked to take.
  init(_ error: KVMError, at path: String) {
    // A host that has run out of something is no fault of the state.
    self = error.isShortage ? .machine(.kvm(error)) : .refused(path: path, problem: error.description)
  }
}

extension RestoreError: CustomStringConvertible {
  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .malformed(let error): error.description
    case .hostDiffers(let differences):
      "this host cannot take the state: " + differences.map(\.description).joined(separator: "; ")
    case .refused(let path, let problem): "\(path): \(problem)"
    case .machine(let error): error.description
    }
  }
}
