public import APIC

/// The interrupt controllers of a machine as one value: local APICs, IOAPIC, PICs and routes, and what KVM answers to who
/// drives them.
///
/// A history of calls to a machine is what a kernel, or a user-space irqchip, is compared with. Nothing here waits, and
/// nothing looks at a clock.
public struct ReferenceMachine: Sendable {
  /// What a machine is made of.
  public struct Configuration: Hashable, Sendable {
    /// How many vCPUs: 1 to 64.
    public var vcpus: Int
    /// What the local APICs have.
    public var features: LocalAPICFeatures
    /// Which kernel it stands for.
    public var deviations: Deviations
    /// Whether IDs of more than 8 bits are enabled (KVM_X2APIC_API_USE_32BIT_IDS).
    public var usesWideIDs: Bool
    /// The IOAPIC's version: from 0x20 on it has an EOI register.
    public var ioapicVersion: UInt8 = 0x11

    /// A machine of so many vCPUs, by default as KVM makes them.
    public init(
      vcpus: Int, features: LocalAPICFeatures = LocalAPICFeatures(), deviations: Deviations = .kvm,
      usesWideIDs: Bool = false
    ) {
      self.vcpus = min(max(vcpus, 1), 64)
      self.features = features
      self.deviations = deviations
      self.usesWideIDs = usesWideIDs
    }
  }

  /// Who drives a line: user space by KVM_IRQ_LINE and irqfds.
  public static var userSpace: UInt8 { 0 }

  /// What the machine is made of.
  public let configuration: Configuration
  /// The local APICs, by vCPU.
  public package(set) var localAPICs: [ReferenceLocalAPIC]
  /// The IOAPIC.
  public package(set) var ioapic: ReferenceIOAPIC
  /// The PICs.
  public package(set) var pic: ReferencePIC
  /// The PICs' output as it was seen last.
  var lastPICOutput = false
  /// The routes.
  public var routes = RouteTable.defaults
  /// The rules that were met outside of the local APICs.
  var met = ModelRuleSet()
  /// Whether an ID keeps APICv off.
  var isVirtualizationInhibited = false
  /// Who is reached by which destination; nil where it is to be worked out again.
  var map: DestinationMap?
  /// Whether somebody is at a pin's message, or at the end of a service: KVM's `ioapic->lock`, which one action after
  /// another leaves free.
  var isIOAPICHeld = false

  /// A machine after power-on.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    localAPICs = (0..<configuration.vcpus).map {
      ReferenceLocalAPIC(
        id: UInt32($0), isBootstrapProcessor: $0 == 0, features: configuration.features,
        deviations: configuration.deviations)
    }
    ioapic = ReferenceIOAPIC(version: configuration.ioapicVersion, deviations: configuration.deviations)
    pic = ReferencePIC(deviations: configuration.deviations)
  }

  /// The rules of the model that were met since power-on.
  public var metRules: ModelRuleSet {
    var rules = met
    for apic in localAPICs { rules.formUnion(apic.met) }
    return rules
  }

  /// Sets the level of a GSI's line (KVM API, KVM_IRQ_LINE_STATUS; `kvm_set_irq`).
  ///
  /// - Parameters:
  ///   - gsi: The line.
  ///   - level: Its level.
  ///   - tellsStatus: Whether the caller wants the answer: KVM_IRQ_LINE and irqfds do not.
  ///   - source: Who drives it, 0 to 7.
  public mutating func setLine(
    _ gsi: UInt32, to level: Bool, tellsStatus: Bool = true, source: UInt8 = userSpace
  ) -> DeliveryAnswer {
    var answer = DeliveryAnswer.ignored
    for route in routes[gsi] {
      switch route {
      case .pic(let line):
        met.insert(.picLineChanged)
        answer = answer.adding(pic.setLine(line, source: source, to: level))
        noticePIC()
      case .ioapic(let pin):
        switch drive(pin, source, to: level, tellsStatus: tellsStatus) {
        case .answer(let own):
          if own == .coalesced { met.insert(.edgeMerged) }
          if own == .ignored { met.insert(.pinHeldBack) }
          answer = answer.adding(own)
        case .send: answer = answer.adding(service(pin, tellsStatus: tellsStatus))
        }
      case .message(let message):
        met.insert(.messageRouted)
        if level { answer = answer.adding(send(message)) }
      }
    }
    return answer
  }

  /// A device writes a message (KVM API, KVM_SIGNAL_MSI; `kvm_set_msi`).
  public mutating func send(_ message: MSIMessage) -> DeliveryAnswer {
    busMessage(message).map { deliver($0, from: nil) } ?? .ignored
  }

  /// The message that what a device writes becomes; nil where it is none.
  func busMessage(_ message: MSIMessage) -> BusMessage? {
    if !configuration.deviations.contains(.messageAddressIgnored), !message.isInterrupt { return nil }
    // With wide IDs the low byte of the upper half is reserved (KVM API, section 7.7).
    if configuration.usesWideIDs, message.address >> 32 & 0xff != 0 { return nil }
    return BusMessage(
      message, usesWideIDs: configuration.usesWideIDs,
      ignoresLevel: configuration.deviations.contains(.messageLevelIgnored))
  }

  /// When the PICs' output rises the first vCPU that takes it has to look for interrupts (`pic_unlock`).
  mutating func noticePIC() {
    let output = pic.output
    if output, !lastPICOutput, let vcpu = localAPICs.indices.first(where: acceptsExternal) {
      localAPICs[vcpu].processor.hasEvent = true
    }
    lastPICOutput = output
  }

  /// A non-maskable interrupt for a vCPU (KVM API, KVM_NMI).
  public mutating func signalNMI(_ vcpu: Int) { localAPICs[vcpu].acceptNMI() }

  /// Sends a pin's message (`ioapic_service`).
  mutating func service(_ pin: Int, tellsStatus: Bool) -> DeliveryAnswer {
    met.insert(.pinSent)
    ioapic.willSend(pin)
    let message = BusMessage(ioapic[pin])
    let isClock =
      pin == ReferenceIOAPIC.clockPin && tellsStatus
      && configuration.deviations.contains(.clockEdgesMerged)
    var takers: UInt64 = 0
    let answer = deliver(message, from: nil, takers: &takers)
    if isClock { noteClock(answer, takers, message.vector) }
    ioapic.didSend(pin, answer)
    return answer
  }

  /// Pin 8 has interrupts to wait for the ends of.
  mutating func noteClock(_ answer: DeliveryAnswer, _ takers: UInt64, _ vector: Vector) {
    ioapic.clockPending = max(0, answer.number)
    ioapic.clockHolders |= takers
    for vcpu in localAPICs.indices where takers >> UInt64(vcpu) & 1 != 0 {
      ioapic.clockVectors[vcpu] = vector.rawValue
    }
  }
}

/// Where a GSI leads (KVM API, KVM_SET_GSI_ROUTING).
public enum Route: Hashable, Sendable {
  /// To a pin of the IOAPIC, 0 to 23.
  case ioapic(pin: Int)
  /// To a line of the pair of PICs, 0 to 15.
  case pic(line: Int)
  /// To local APICs, as a message.
  case message(MSIMessage)
}

/// The routes of a machine: which GSI leads where.
public struct RouteTable: Hashable, Sendable {
  private var routes: [[Route]]

  /// A table without routes.
  public init() { routes = [] }

  /// The table that a machine with an irqchip starts with: GSIs 0 to 15 lead to a PIC and to the IOAPIC, 16 to 23 to the
  /// IOAPIC (`default_routing` in arch/x86/kvm/irq.c).
  public static let defaults: RouteTable = {
    var table = RouteTable()
    for pin in 0..<24 { table.add(.ioapic(pin: pin), to: UInt32(pin)) }
    for line in 0..<16 { table.add(.pic(line: line), to: UInt32(line)) }
    return table
  }()

  /// The greatest GSI that has a route of its own here, and one more.
  public static var limit: UInt32 { 4096 }

  /// Gives a GSI one more route; one beyond `limit` is ignored.
  public mutating func add(_ route: Route, to gsi: UInt32) {
    guard gsi < Self.limit else { return }
    while routes.count <= Int(gsi) { routes.append([]) }
    routes[Int(gsi)].append(route)
  }

  /// The messages that GSIs lead to.
  var messages: [MSIMessage] {
    routes.joined().compactMap { route in
      if case .message(let message) = route { message } else { nil }
    }
  }

  /// Where a GSI leads.
  public subscript(gsi: UInt32) -> [Route] { Int(gsi) < routes.count ? routes[Int(gsi)] : [] }
}
