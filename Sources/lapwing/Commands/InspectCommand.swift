import APIC
import ArgumentParser
import KVM
import MachineState
import Reports
import Support

/// `lapwing inspect`: the interrupt state of a machine, decoded.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show the interrupt state of a machine that was saved.",
    discussion: """
      FILE is a snapshot, or the 1024 bytes of a local APIC's register page (struct kvm_lapic_state). Shown are, for every \
      vCPU, what it would take next and what holds the rest back; its local APIC, decoded; the chips; and where each GSI \
      leads.
      """)

  @Argument(help: "A snapshot, or a register page of a local APIC.")
  var file: String

  @Option(help: "This vCPU only.")
  var vcpu: Int?

  @Option(
    help: "This register only, field by field: TPR, IRR, LVT_TIMER, ICR, RFLAGS, REDTBL4, 'PIC 0 IRR', GSI4, ...")
  var register: String?

  @Flag(help: "FILE is a register page, whatever it looks like.")
  var page = false

  @Option(help: "The mode of the local APIC that a register page is of; the page's LDR tells it otherwise.")
  var apic: PageMode?

  @Option(help: "human or json.")
  var format = ReportFormat.human

  func run() throws {
    try perform { () throws(Failure) in
      let inspection = try inspect()
      guard let register else {
        try show(inspection, format) { $0.text(StandardOutput.style) }
        return .success
      }
      let found = inspection.registers(named: register)
      guard !found.isEmpty else {
        throw Failure(
          "'\(file)' has no register '\(register)'; --format json names all that it has", .usage)
      }
      try show(RegisterSelection(found), format) { $0.text(StandardOutput.style) }
      return .success
    }
  }

  private func inspect() throws(Failure) -> Inspection {
    switch try StateFile.read(file, isPage: page) {
    case .page(let state):
      guard vcpu == nil else { throw Failure("--vcpu: a register page is of one local APIC", .usage) }
      return Inspection(page: state, mode: apic?.mode)
    case .machine(let state):
      guard apic == nil else {
        throw Failure("--apic: a snapshot says itself which mode each local APIC is in", .usage)
      }
      if let vcpu, !state.vcpus.indices.contains(vcpu) {
        throw Failure("--vcpu \(vcpu): '\(file)' has vCPUs 0 to \(state.vcpus.count - 1)", .usage)
      }
      let memory = memory(for: state)
      return Inspection(state, vcpu: vcpu) { memory?.word(at: $0) }
    }
  }

  /// Guest memory, where there is something in it to be shown: the words that KVM keeps for a guest's TPR.
  private func memory(for state: MachineState) -> MemoryImage? {
    guard state.memory != nil, state.vcpus.contains(where: { $0.settings.vapicAddress != 0 }) else { return nil }
    do throws(Failure) {
      return try StateFile.memory(of: file)
    } catch {
      StandardError.print("lapwing: the vAPIC's word is not shown: \(error.message)")
      return nil
    }
  }
}

/// The mode of a local APIC, from the command line.
enum PageMode: String, ExpressibleByArgument, CaseIterable {
  case xapic
  case x2apic

  var mode: APICMode { self == .xapic ? .xAPIC : .x2APIC }
}
