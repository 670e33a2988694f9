import APIC
import KVM
import MachineState

/// The vCPUs of a machine as destinations of messages.
struct Processors {
  let views: [LocalAPICView]
  let states: [MPState]
  /// Whether MSIs and pages have IDs of 32 bits (KVM_X2APIC_API_USE_32BIT_IDS).
  let wideIDs: Bool
  /// Whether 0xff reaches x2APICs (KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK is not set).
  let hasBroadcastQuirk: Bool

  init(_ state: MachineState) {
    views = state.vcpus.map { LocalAPICView($0) }
    states = state.vcpus.map(\.mpState)
    wideIDs = state.hasWideIDs
    hasBroadcastQuirk = !state.settings.capabilities.contains {
      $0.capability == .x2APICAPI
        && X2APICOptions(rawValue: $0.arguments.first ?? 0).contains(.disableBroadcastQuirk)
    }
  }

  /// Whether the destination of a message matches a vCPU.
  func match(_ index: Int, _ message: Recipients.Message) -> Bool {
    let view = views[index]
    guard view.isPresent else { return false }
    switch message.shorthand {
    case .`self`: return index == message.sender
    case .allIncludingSelf: return true
    case .allExcludingSelf: return index != message.sender
    case .none:
      return view.state.isDestination(
        message.destination, mode: view.mode, id: view.id, isInterprocessor: message.sender != nil,
        hasBroadcastQuirk: hasBroadcastQuirk)
    }
  }

  /// Why a vCPU that a message matches makes nothing of it; empty where it takes it.
  func refusal(_ index: Int, _ message: Recipients.Message) -> String {
    switch message.deliveryMode {
    case .fixed, .lowestPriority:
      guard views[index].state.spurious.isSoftwareEnabled else { return "disabled by software" }
      return message.vector < 16 ? "no priority lets a vector below 16 in" : ""
    case .smi, .nmi: return ""
    case .initialize:
      return message.triggerMode == .level && !message.isAsserted ? "an INIT level de-assert does nothing" : ""
    case .startUp: return states[index] == .initReceived ? Recipients.wakes : "it does not wait for SIPI"
    case .external: return "KVM delivers no ExtINT message"
    case nil: return "a reserved delivery mode"
    }
  }

  /// Candidates for a lowest-priority message in the order in which KVM counts them: by the bit of a logical ID that each
  /// is, else by index (`kvm_apic_map_get_dest_lapic`).
  func order(_ candidates: [Int], _ destination: Destination) -> [Int] {
    guard case .logical(let address) = destination else { return candidates }
    return candidates.sorted { left, right in
      let keys = (bit(left, address), bit(right, address))
      return keys.0 == keys.1 ? left < right : keys.0 < keys.1
    }
  }

  private func bit(_ index: Int, _ address: UInt32) -> Int {
    let view = views[index]
    let own =
      view.mode == .x2APIC ? Destination.x2APICLogicalID(of: view.id) & 0xffff : view.state.logicalID(mode: view.mode)
    return (own & address).trailingZeroBitCount
  }
}

extension LocalAPICView {
  init(_ vcpu: VCPUState) {
    self.init(state: vcpu.localAPIC, mode: vcpu.specialRegisters.apicBase.mode, id: vcpu.id)
  }
}
