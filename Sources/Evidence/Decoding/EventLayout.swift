/// The tracepoints that are recorded (kernel, arch/x86/kvm/trace.h and include/trace/events/kvm.h).
enum Tracepoint: String, CaseIterable, Sendable {
  case setIRQ = "kvm_set_irq"
  case msi = "kvm_msi_set_irq"
  case ioapic = "kvm_ioapic_set_irq"
  case ipi = "kvm_apic_ipi"
  case accept = "kvm_apic_accept_irq"
  case acceptByHardware = "kvm_apicv_accept_irq"
  case inhibit = "kvm_apicv_inhibit_changed"
  case inject = "kvm_inj_virq"
  case eoi = "kvm_eoi"
  case paravirtualEOI = "kvm_pv_eoi"
  case acknowledge = "kvm_ack_irq"
  case wakeUp = "kvm_vcpu_wakeup"
  case entry = "kvm_entry"
  case exit = "kvm_exit"
  case modelSpecificRegister = "kvm_msr"

  /// Entries into the guest and exits from it. They are recorded only where somebody asks for them: they would be most of
  /// what is recorded.
  static let residency: [Tracepoint] = [.entry, .exit]
  /// Accesses to model-specific registers, which are recorded where somebody asks for them likewise.
  static let registers: [Tracepoint] = [.modelSpecificRegister]
  /// All others, which are recorded always where the kernel has them.
  static let always = allCases.filter { !(residency + registers).contains($0) }

  /// The fields that are read of it, in this order, each by the names that kernels have given it. One that may be missing
  /// reads as 0.
  var fields: [(names: [String], isOptional: Bool)] {
    func needed(_ names: String...) -> (names: [String], isOptional: Bool) { (names, false) }
    func optional(_ names: String...) -> (names: [String], isOptional: Bool) { (names, true) }
    return switch self {
    case .setIRQ: [needed("gsi"), needed("level")]
    case .msi: [needed("data")]
    case .ioapic: [needed("e"), needed("pin"), optional("coalesced")]
    case .ipi: [needed("icr_low")]
    case .accept, .acceptByHardware: [needed("apicid"), needed("vec"), needed("dm")]
    case .inhibit: [needed("reason"), needed("set"), needed("inhibits")]
    // Before Linux 6.0 the vector was called irq, and what was injected anew was not marked.
    case .inject: [needed("vector", "irq"), optional("soft"), optional("reinjected")]
    case .eoi, .paravirtualEOI: [needed("apicid"), needed("vector")]
    case .acknowledge: [needed("irqchip"), needed("pin")]
    case .wakeUp: [needed("ns"), needed("waited")]
    case .entry: [needed("vcpu_id")]
    case .exit: [needed("exit_reason"), needed("isa"), optional("intr_info")]
    case .modelSpecificRegister: [needed("ecx"), needed("write")]
    }
  }
}

/// Where in an event what is read of it is.
struct EventLayout: Hashable, Sendable {
  let tracepoint: Tracepoint
  private(set) var first = EventField.absent
  private(set) var second = EventField.absent
  private(set) var third = EventField.absent
  /// How many bytes an event must have.
  let size: Int

  /// A format lacks a field.
  struct Missing: Error, Hashable, CustomStringConvertible {
    let tracepoint: Tracepoint
    let field: String

    var description: String { "\(tracepoint.rawValue) with a field '\(field)'" }
  }

  /// The layout of a tracepoint's events.
  ///
  /// - Parameters:
  ///   - tracepoint: the tracepoint.
  ///   - format: what the kernel says of it.
  /// - Throws: `Missing` where it has no such field.
  init(_ tracepoint: Tracepoint, _ format: EventFormat) throws(Missing) {
    self.tracepoint = tracepoint
    var places: [EventField] = []
    for field in tracepoint.fields {
      if let name = field.names.first(where: { format.fields[$0] != nil }), let place = format.fields[name] {
        places.append(place)
      } else if field.isOptional {
        places.append(.absent)
      } else {
        throw Missing(tracepoint: tracepoint, field: field.names[0])
      }
    }
    size = places.map(\.end).max() ?? 0
    if places.count > 0 { first = places[0] }
    if places.count > 1 { second = places[1] }
    if places.count > 2 { third = places[2] }
  }
}
