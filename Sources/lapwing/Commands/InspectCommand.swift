import APIC
import ArgumentParser
import ForeignStates
import KVM
import MachineState
import Reports
import Support

/// `lapwing inspect`: the interrupt state of a machine, decoded.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show the interrupt state of a machine that was saved, and what is wrong with it.",
    discussion: """
      FILE is a snapshot of Lapwing's, a migration stream of QEMU (also behind libvirt's header), what QEMU's monitor \
      prints (info lapic, info pic, info registers), a snapshot of Cloud Hypervisor (its folder or state.json) or Firecracker \
      (vmstate), or register pages of local APICs (struct kvm_lapic_state), also as a hex dump. Shown are what is wrong; for every vCPU, what it would take next and what holds the rest back; its local \
      APIC, decoded; the chips; and where each GSI leads. What a format does not hold is shown as not known.
      """)

  @Argument(help: "The file; - for standard input.", completion: .file())
  var file: String?

  @Flag(help: "Show only what is wrong, in full; the exit status is 1 where it is a contradiction.")
  var check = false

  @Flag(help: "Show the rules by which a state is looked at; no FILE.")
  var rules = false

  @Option(help: "This vCPU only.")
  var vcpu: Int?

  @Option(
    help: "This register only, field by field: TPR, IRR, LVT_TIMER, ICR, RFLAGS, REDTBL4, 'PIC 0 IRR', GSI4, ...")
  var register: String?

  @OptionGroup var options: StateSourceOptions

  @Option(help: "The mode of the local APIC that a register page is of; the page's LDR tells it otherwise.")
  var apic: PageMode?

  @Option(help: "human or json; with --rules also markdown.")
  var format = InspectFormat.human

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard (file == nil) == rules else {
      throw ValidationError(rules ? "--rules takes no FILE" : "Missing expected argument '<file>'")
    }
    guard rules || format != .markdown else { throw ValidationError("--format markdown is for --rules") }
    guard !check || register == nil && vcpu == nil else {
      throw ValidationError("--check looks at all of a state: it goes with neither --vcpu nor --register")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter { $0.readState(file) }
      guard let file else {
        let report = RulesReport()
        try show(report, format.report) { format == .markdown ? $0.markdown : $0.text(StandardOutput.style) }
        return .success
      }
      let read = try StateFile(file, as: options.source)
      if check {
        let report = FindingsReport(read.state)
        try show(report, format.report) { $0.text(StandardOutput.style) }
        return report.hasContradiction ? .failed : .success
      }
      try showAll(read)
      return .success
    }
  }

  private func showAll(_ file: StateFile) throws(Failure) {
    let inspection = try inspect(file)
    guard let register else {
      try show(inspection, format.report) { $0.text(StandardOutput.style) }
      return
    }
    let found = inspection.registers(named: register)
    guard !found.isEmpty else {
      throw Failure(
        "'\(file.name)' has no register '\(register)'; --format json names all that it has", .usage)
    }
    try show(RegisterSelection(found), format.report) { $0.text(StandardOutput.style) }
  }

  private func inspect(_ file: StateFile) throws(Failure) -> Inspection {
    let state = file.state
    let isPage = state.format == .pages && state.vcpus.count == 1
    guard vcpu == nil || !isPage else { throw Failure("--vcpu: a register page is of one local APIC", .usage) }
    guard apic == nil || state.vcpus.contains(where: { $0.apicBase == nil }) else {
      throw Failure("--apic: a snapshot says itself which mode each local APIC is in", .usage)
    }
    if let vcpu, !state.vcpus.indices.contains(vcpu) {
      let known = state.vcpus.isEmpty ? "no vCPU" : "vCPUs 0 to \(state.vcpus.count - 1)"
      throw Failure("--vcpu \(vcpu): '\(file.name)' has \(known)", .usage)
    }
    let memory = memory(of: file)
    return Inspection(state, mode: apic?.mode, vcpu: vcpu) { memory?.word(at: $0) }
  }

  /// Guest memory, where there is something in it to be shown: the words that KVM keeps for a guest's TPR.
  private func memory(of file: StateFile) -> MemoryImage? {
    guard file.state.machine.vcpus.contains(where: { $0.settings.vapicAddress != 0 }) else { return nil }
    do throws(Failure) {
      return try file.memory()
    } catch {
      StandardError.print("lapwing: the vAPIC's word is not shown: \(error.message)")
      return nil
    }
  }
}

/// For whom an inspection is.
enum InspectFormat: String, ArgumentChoice {
  case human
  case json
  /// For docs/rules.md.
  case markdown

  var report: ReportFormat { self == .json ? .json : .human }
}

/// The mode of a local APIC, from the command line.
enum PageMode: String, ArgumentChoice {
  case xapic
  case x2apic

  var mode: APICMode { self == .xapic ? .xAPIC : .x2APIC }
}
