import APIC
import KVM
import MachineState

/// The vCPUs that a message gets to, and what each makes of it.
public struct Recipients: Codable, Hashable, Sendable {
  /// The vCPUs whose local APIC the destination matches.
  public var targets: [Target]
  /// The one of them that a lowest-priority message goes to by KVM's vector hashing, which is its default; absent for
  /// other messages.
  public var chosen: Int?
  /// All of it for a person.
  public var text: String

  /// A vCPU that the destination matches.
  public struct Target: Codable, Hashable, Sendable {
    /// Its index.
    public var vcpu: Int
    /// Whether it takes the message.
    public var accepts: Bool
    /// Why not, or what it does to it; empty for an interrupt that is taken.
    public var note: String
  }

  /// A message to local APICs.
  struct Message {
    var vector: Vector
    var deliveryMode: DeliveryMode?
    var destination: Destination
    var triggerMode = TriggerMode.edge
    var isAsserted = true
    var shorthand = DestinationShorthand.none
    var redirectionHint = false
    /// The index of the vCPU that sends it; nil for a device.
    var sender: Int?

    init(_ message: MSIMessage, wideIDs: Bool) {
      vector = message.vector
      deliveryMode = message.deliveryMode
      // Without 32-bit IDs KVM looks at the 8 bits of the address alone.
      destination =
        wideIDs
        ? message.destination : Destination(message.destination.identifier & 0xff, mode: message.destination.mode)
      triggerMode = message.triggerMode
      isAsserted = message.isAsserted
      redirectionHint = message.redirectionHint
    }

    init(_ command: InterruptCommand, from sender: Int) {
      vector = command.vector
      deliveryMode = command.deliveryMode
      destination = command.destination
      triggerMode = command.triggerMode
      isAsserted = command.isAsserted
      shorthand = command.shorthand
      self.sender = sender
    }
  }
}

extension Recipients {
  /// Who gets a message in a machine (`kvm_irq_delivery_to_apic` and `__apic_accept_irq` in the kernel).
  init(of message: Message, in processors: Processors) {
    let matches = processors.views.indices.filter { processors.match($0, message) }
    targets = matches.map { index in
      let note = processors.refusal(index, message)
      return Target(vcpu: index, accepts: note.isEmpty || note == Self.wakes, note: note)
    }
    chosen = nil
    if message.deliveryMode == .lowestPriority || message.redirectionHint {
      let order = processors.order(targets.filter(\.accepts).map(\.vcpu), message.destination)
      chosen = order.isEmpty ? nil : order[Int(message.vector.rawValue) % order.count]
    }
    text = ""
    text = words(count: processors.views.count)
  }

  static let wakes = "starts it"

  private func words(count: Int) -> String {
    guard !targets.isEmpty else { return "nobody" }
    if let chosen {
      let others = targets.filter(\.accepts).map(\.vcpu)
      return others.count == 1 ? "vCPU \(chosen)" : "vCPU \(chosen), by its vector, of vCPUs \(Pins.ranges(others))"
    }
    let taking = targets.filter(\.accepts).map(\.vcpu)
    var words: [String] = []
    if !taking.isEmpty {
      let list = (taking.count == 1 ? "vCPU " : "vCPUs ") + Pins.ranges(taking)
      words.append(taking.count == count && count > 1 ? "every vCPU" : list)
    }
    for (note, group) in Dictionary(grouping: targets.filter { !$0.accepts }, by: \.note).sorted(by: { $0.key < $1.key }
    ) {
      words.append("not vCPU \(Pins.ranges(group.map(\.vcpu))): \(note)")
    }
    return words.joined(separator: "; ")
  }
}

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
