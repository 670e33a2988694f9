import APIC
public import KVM
import Support
import VMM

/// The state of a vCPU that a guest failed on: what a person looks at first.
public struct VCPUStateReport: Codable, Sendable {
  /// Its index.
  public var vcpu: Int
  /// `runnable`, `halted`, `uninitialized` and so on (KVM_GET_MP_STATE).
  public var state: MPState
  /// Registers by their names.
  public var registers: [String: UInt64]
  /// Its local APIC.
  public var localAPIC: LocalAPICReport

  init(_ report: VCPUReport) {
    vcpu = report.index
    state = report.state
    let general = report.registers
    let special = report.specialRegisters
    registers = [
      "rax": general.rax, "rbx": general.rbx, "rcx": general.rcx, "rdx": general.rdx, "rsi": general.rsi,
      "rdi": general.rdi, "rsp": general.rsp, "rbp": general.rbp, "r8": general.r8, "r9": general.r9,
      "r10": general.r10, "r11": general.r11, "r12": general.r12, "r13": general.r13, "r14": general.r14,
      "r15": general.r15, "rip": general.rip, "rflags": general.rflags, "cs": UInt64(special.cs.selector),
      "cs.base": special.cs.base, "cr0": special.cr0, "cr2": special.cr2, "cr3": special.cr3, "cr4": special.cr4,
      "cr8": special.cr8, "efer": special.efer,
    ]
    localAPIC = LocalAPICReport(report.localAPIC, base: special.apicBase)
  }

  /// A local APIC, decoded.
  public struct LocalAPICReport: Codable, Sendable {
    /// `disabled`, `xAPIC`, `x2APIC` or `invalid` (IA32_APIC_BASE).
    public var mode: String
    /// Its id.
    public var id: UInt32
    /// Whether software has enabled it.
    public var isSoftwareEnabled: Bool
    /// The task priority.
    public var taskPriority: UInt8
    /// The processor priority.
    public var processorPriority: UInt8
    /// The vectors that are requested.
    public var interruptRequest: [UInt8]
    /// The vectors that are in service.
    public var inService: [UInt8]
    /// The local vector table by names, each entry in words.
    public var localVectorTable: [String: String]
    /// The timer's initial count.
    public var initialCount: UInt32
    /// The timer's current count.
    public var currentCount: UInt32

    init(_ state: LocalAPICState, base: APICBase) {
      mode = "\(base.mode)"
      id = state.id(mode: base.mode)
      isSoftwareEnabled = state.spurious.isSoftwareEnabled
      taskPriority = state.taskPriority.rawValue
      processorPriority = state.processorPriority.rawValue
      interruptRequest = state.interruptRequest.map(\.rawValue)
      inService = state.inService.map(\.rawValue)
      localVectorTable = Dictionary(
        uniqueKeysWithValues: LocalVector.allCases.map { ("\($0)", "\(state.lvt($0))") })
      initialCount = state.initialCount
      currentCount = state.currentCount
    }
  }
}

extension VCPUStateReport {
  private static let rows = [
    ["rip", "rsp", "rflags"], ["rax", "rbx", "rcx", "rdx"], ["rsi", "rdi", "rbp", "r8"], ["r9", "r10", "r11", "r12"],
    ["r13", "r14", "r15"], ["cr0", "cr2", "cr3", "cr4"], ["cr8", "efer", "cs", "cs.base"],
  ]

  /// The registers and the local APIC, for a person.
  func lines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = [style.bold("vCPU \(vcpu)") + ": \(state.name)"]
    for row in Self.rows {
      let cells = row.map { TextLine($0).padded(to: 3) + " \(hex(registers[$0] ?? 0, digits: 16))" }
      lines.append("  " + cells.joined(separator: "  "))
    }
    let apic = localAPIC
    lines.append(
      "  local APIC \(apic.id): \(apic.mode), \(apic.isSoftwareEnabled ? "enabled" : "disabled by software"), "
        + "TPR \(hex(apic.taskPriority, digits: 2)), PPR \(hex(apic.processorPriority, digits: 2))")
    lines.append("  IRR \(vectors(apic.interruptRequest)), ISR \(vectors(apic.inService))")
    lines.append("  timer count \(apic.currentCount) of \(apic.initialCount)")
    for (name, entry) in apic.localVectorTable.sorted(by: { $0.key < $1.key }) {
      lines.append("  LVT \(name): \(entry)")
    }
    return lines
  }

  private func vectors(_ list: [UInt8]) -> String {
    "{" + list.map { hex($0, digits: 2) }.joined(separator: ", ") + "}"
  }
}
