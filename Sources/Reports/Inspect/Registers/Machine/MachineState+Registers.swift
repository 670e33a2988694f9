import APIC
import ForeignStates
import KVM
import MachineState
import VMM

extension MachineState {
  typealias Register = RegisterDescription<MachineState>

  /// The machine as a whole: what it was made of, what KVM was told, the moment.
  static let registers: [Register] = [
    Register("GUEST", "The guest") { .words($0.guest) },
    Register("VCPUS", "vCPUs") { .count(Int64($0.vcpus.count)) },
    Register("MEMORY", "Guest memory in bytes") { .count(Int64(clamping: $0.configuration.memory)) },
    Register("IRQCHIP", "Where the interrupt controllers are") { .words($0.configuration.irqChip.rawValue) },
    Register("APIC", "What the guest is told of its local APICs") { .words($0.configuration.apic.rawValue) },
    Register("START", "Who starts the application processors") { .words($0.configuration.start.rawValue) },
    Register("APIC_IDS", "APIC ids by index") { .words(Pins.ranges($0.configuration.apicIDs.map { Int($0) })) },
    Register("ARGUMENTS", "The guest's arguments") { .words($0.configuration.arguments) },
    Register("LOAD_ADDRESS", "Where a flat image went") { $0.configuration.loadAddress.map { .bits($0) } },
    Register("LOG_CAPACITY", "Records that the guest has room for") {
      .count(Int64(clamping: $0.configuration.logCapacity))
    },
    Register("CAPABILITIES", "Capabilities that were enabled (KVM_ENABLE_CAP)") {
      .words($0.settings.capabilities.words)
    },
    Register("PIT_OPTIONS", "The interval timer in the kernel") { state in
      state.settings.pit.map { pit in
        .words("speaker \(pit.speakerDummy ? "dummy" : "off"), \(pit.reinjects ? "reinjects" : "drops") late ticks")
      }
    },
    Register("BOOT_CPU", "The bootstrap processor (KVM_SET_BOOT_CPU_ID)") {
      $0.settings.bootCPU.map { .count(Int64($0)) }
    },
    Register("TSS_ADDRESS", "KVM_SET_TSS_ADDR") { $0.settings.tssAddress.map { .bits($0) } },
    Register("IDENTITY_MAP", "KVM_SET_IDENTITY_MAP_ADDR") { $0.settings.identityMapAddress.map { .bits($0) } },
    Register("VM_TSC_KHZ", "TSC frequency of new vCPUs in kHz") { $0.settings.tscKHz.map { .count(Int64($0)) } },
    Register("MSR_FILTER", "KVM_X86_SET_MSR_FILTER") { state in
      state.settings.msrFilter.map { .words($0.words) }
    },
    Register("MEMORY_FILE", "The file with guest memory", moves: .always) {
      $0.memory.map { .words($0.file) }
    } meaning: {
      $0.memory.map { "\($0.pages) pages, id \(hex($0.id)), checksum \(hex($0.checksum, digits: 8))" } ?? ""
    },
    Register("HOST", "Where the state was taken", moves: .always) { state in
      .words(
        [state.host.kernel, state.host.backEnd, state.host.processor].filter { !$0.isEmpty }.joined(separator: ", "))
    },
    Register("CAPTURED", "When it was taken, in ns since 1970", moves: .always) {
      .count(Int64(clamping: $0.captured))
    },
    Register("HOST_TSC", "The host's TSC", moves: .always) { .bits($0.time.hostTSC) },
    Register("HOST_MONOTONIC", "The host's monotonic clock in ns", moves: .always) {
      .count(Int64(clamping: $0.time.hostMonotonic))
    },
    Register("KVMCLOCK", "kvmclock in ns (KVM_GET_CLOCK)", moves: .always) {
      .count(Int64(clamping: $0.time.clock.nanoseconds))
    } meaning: { state in
      [
        state.time.clock.realtime.map { "real time \($0)" }, state.time.clock.hostTSC.map { "host TSC \(hex($0))" },
        state.time.clock.isStable ? "stable" : nil,
      ].compactMap { $0 }.joined(separator: ", ")
    },
  ]

  /// The part that a register is of; nil for those that every state has.
  static func part(of register: String) -> InspectableState.Part? {
    switch register {
    case "GUEST", "VCPUS": nil
    case "CAPABILITIES", "PIT_OPTIONS", "BOOT_CPU", "TSS_ADDRESS", "IDENTITY_MAP", "VM_TSC_KHZ", "MSR_FILTER": .settings
    case "HOST", "CAPTURED", "HOST_TSC", "HOST_MONOTONIC": .hostClock
    case "KVMCLOCK": .guestClock
    default: .configuration
    }
  }

  /// Routes by GSI; a GSI with several has them in one register.
  var routeRegisters: [RegisterReport] {
    Dictionary(grouping: routes, by: \.gsi).sorted { $0.key < $1.key }.map { gsi, routes in
      RegisterReport(
        name: "GSI\(gsi)", title: "Route of GSI \(gsi)", value: routes.map(\.words).joined(separator: "; "),
        meaning: routes.compactMap(\.encoding).joined(separator: "; "))
    }
  }

  /// The irqfds and ioeventfds, in the order in which they were assigned.
  var eventRegisters: [RegisterReport] {
    irqfds.enumerated().map { index, event in
      RegisterReport(
        name: "IRQFD\(index)", title: "irqfd \(index)", value: "GSI \(event.gsi)", meaning: event.words)
    }
      + ioEvents.enumerated().map { index, event in
        RegisterReport(name: "IOEVENTFD\(index)", title: "ioeventfd \(index)", value: event.place, meaning: event.words)
      }
  }

  /// The devices in the VMM's own process.
  var deviceRegisters: [RegisterReport] {
    devices.flatMap { device in
      device.fields.sorted { $0.key < $1.key }.map { name, values in
        RegisterReport(
          name: "\(device.name).\(name)", title: "\(name) of the device \(device.name)",
          value: values.map { hex($0) }.joined(separator: " "), meaning: "")
      }
    }
  }
}

extension GSIRoute {
  /// Where it leads, without the GSI.
  var words: String {
    switch self {
    case .irqChip(_, .picMaster, let pin): "PIC line \(pin)"
    case .irqChip(_, .picSlave, let pin): "PIC line \(UInt64(pin) + 8)"
    case .irqChip(_, .ioapic, let pin): "IOAPIC pin \(pin)"
    case .msi(_, let message): "MSI \(message)"
    case .hypervSINT(_, let vcpu, let sint): "Hyper-V SINT \(sint) of vCPU \(vcpu)"
    }
  }

  /// The words of a message, some bits of which mean nothing; nil for other routes.
  var encoding: String? {
    guard case .msi(_, let message) = self else { return nil }
    return "address \(hex(message.address, digits: 8)), data \(hex(message.data, digits: 8))"
  }
}

extension IRQFDState {
  /// What was signalled and not taken, and what else there is to it.
  var words: String {
    [
      pending == 0 ? nil : "\(pending) signalled and not taken",
      resamplePending.map { $0 == 0 ? "resamples" : "resamples, \($0) signalled" },
      isOwnedByVMM ? "the machine's own" : nil, event.map { "event \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension IOEventState {
  /// Where the guest writes.
  var place: String {
    switch address {
    case .port(let port): "port \(hex(port))"
    case .mmio(let address): "address \(hex(address))"
    }
  }

  /// Which writes, and what was signalled.
  var words: String {
    [
      length == 0 ? "any length" : Units.count(length, "byte"), match.map { "value \(hex($0)) only" },
      pending == 0 ? nil : "\(pending) signalled", event.map { "event \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension MSRFilter {
  /// The ranges, and what happens to others.
  var words: String {
    let ranges = ranges.map { range in
      let access = [range.reads ? "reads" : nil, range.writes ? "writes" : nil].compactMap { $0 }
      let allowed = range.allows.enumerated().filter(\.element).map { UInt64(range.base) + UInt64($0.offset) }
      return "\(Units.count(range.allows.count, "MSR")) from \(hex(range.base)), \(access.joined(separator: " and ")), "
        + "KVM handles \(allowed.isEmpty ? "none" : allowed.map { hex($0) }.joined(separator: " "))"
    }
    return (ranges + ["others \(allowsOthers ? "allowed" : "refused")"]).joined(separator: "; ")
  }
}
