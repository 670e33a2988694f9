import APIC

extension ReferenceMachine {
  /// Brings a message to the local APICs that it names.
  ///
  /// - Parameters:
  ///   - message: The message.
  ///   - sender: The vCPU whose local APIC sends it; nil for a device.
  public mutating func deliver(_ message: BusMessage, from sender: Int?) -> DeliveryAnswer {
    var takers: UInt64 = 0
    return deliver(message, from: sender, takers: &takers)
  }

  /// The same, and says which vCPUs took a fixed interrupt.
  mutating func deliver(_ message: BusMessage, from sender: Int?, takers: inout UInt64) -> DeliveryAnswer {
    deliver(message, from: sender) { machine, message, vcpu in machine.hand(message, to: vcpu, &takers) }
  }

  /// Who is meant by a message, one after the other, in the order in which KVM hands it to them.
  ///
  /// - Parameter hand: Hands it to one of them, and says whether that one took it.
  @inline(__always)
  mutating func deliver(
    _ message: BusMessage, from sender: Int?, hand: (inout ReferenceMachine, BusMessage, Int) -> Bool
  ) -> DeliveryAnswer {
    if message.shorthand == .`self`, let sender {
      met.insert(.toSelf)
      return DeliveryAnswer(hand(&self, message, sender) ? 1 : 0)
    }
    if message.shorthand == .none, let answer = deliverByMap(message, from: sender, hand: hand) { return answer }
    return deliverByAsking(message, from: sender, hand: hand)
  }

  /// One local APIC gets the message.
  ///
  /// - Parameter takers: Where it is noted that it took a fixed interrupt.
  /// - Returns: Whether it took it.
  mutating func hand(_ message: BusMessage, to vcpu: Int, _ takers: inout UInt64) -> Bool {
    guard localAPICs[vcpu].accept(message) else { return false }
    if message.deliveryMode == .fixed || message.deliveryMode == .lowestPriority { takers |= 1 << UInt64(vcpu) }
    return true
  }

  /// KVM's fast way: the map says who (`kvm_irq_delivery_to_apic_fast`). Nil where it is not used.
  @inline(__always)
  mutating func deliverByMap(
    _ message: BusMessage, from sender: Int?, hand: (inout ReferenceMachine, BusMessage, Int) -> Bool
  ) -> DeliveryAnswer? {
    guard configuration.deviations.contains(.logicalDestinationNeedsSoftwareEnable) else { return nil }
    let identifier = message.destination.identifier
    let isWideSender = sender.map { localAPICs[$0].mode == .x2APIC } ?? false
    if identifier == (isWideSender ? .max : 0xff), configuration.deviations.contains(.messageBroadcastInX2APIC) {
      return nil
    }
    guard let map = destinationMap() else { return nil }
    met.insert(message.destination.mode == .physical ? .physicalByMap : .logicalByMap)
    if message.destination.mode == .physical {
      guard identifier < 256, map.physical[Int(identifier)] >= 0 else { return .coalesced }
      return DeliveryAnswer(hand(&self, message, Int(map.physical[Int(identifier)])) ? 1 : 0)
    }
    guard let (first, members, isPhysical) = map.logicalMembers(identifier) else { return nil }
    if members == 0 { return .coalesced }
    var mask = members
    if message.isLowestPriority {
      met.insert(.oneOfSeveral)
      guard configuration.deviations.contains(.lowestPriorityByVector) else { return nil }
      var rank = Int(message.vector.rawValue) % mask.nonzeroBitCount
      var chosen = mask
      while rank > 0 {
        chosen &= chosen - 1
        rank -= 1
      }
      mask = chosen & ~(chosen - 1)
    }
    var count = 0
    for bit in 0..<16 where mask >> UInt32(bit) & 1 != 0 {
      let vcpu = isPhysical ? map.physical[first + bit] : map.logical[first + bit]
      if vcpu >= 0, hand(&self, message, Int(vcpu)) { count += 1 }
    }
    return DeliveryAnswer(count)
  }

  /// The architecture's way: every local APIC looks whether it is meant (SDM volume 3A, section 12.6.2;
  /// `kvm_irq_delivery_to_apic`).
  @inline(__always)
  private mutating func deliverByAsking(
    _ message: BusMessage, from sender: Int?, hand: (inout ReferenceMachine, BusMessage, Int) -> Bool
  ) -> DeliveryAnswer {
    var message = message
    met.insert(message.shorthand == .none ? .everyoneAsked : .toAll)
    if message.isLowestPriority, message.destination == .xAPICBroadcast,
      message.redirectionHint ? configuration.deviations.contains(.hintedBroadcastToOne) : true
    {
      // To everybody there is no lowest priority; KVM makes a fixed interrupt even of an NMI or an INIT here.
      message.deliveryMode = .fixed
    }
    var candidates: UInt64 = 0
    var count = -1
    let isForOne =
      message.deliveryMode == .lowestPriority
      || (message.redirectionHint
        && (message.destination != .xAPICBroadcast || configuration.deviations.contains(.hintedBroadcastToOne)))
    for vcpu in localAPICs.indices where localAPICs[vcpu].isPresent && isMeant(vcpu, message, sender) {
      if !isForOne {
        count = max(count, 0) + (hand(&self, message, vcpu) ? 1 : 0)
      } else if localAPICs[vcpu].isSoftwareEnabled {
        candidates |= 1 << UInt64(vcpu)
      }
    }
    guard candidates != 0 else {
      if count < 0 { met.insert(.nobodyReached) }
      return DeliveryAnswer(count)
    }
    met.insert(.oneOfSeveral)
    return DeliveryAnswer(hand(&self, message, lowestPriority(of: candidates, message.vector)) ? 1 : 0)
  }

  /// The vCPUs that a message without a shorthand is meant for, whether or not they take it (`kvm_bitmap_or_dest_vcpus`).
  mutating func vcpusMeant(by message: BusMessage) -> UInt64 {
    var meant: UInt64 = 0
    let identifier = message.destination.identifier
    if configuration.deviations.contains(.logicalDestinationNeedsSoftwareEnable),
      identifier != 0xff || !configuration.deviations.contains(.messageBroadcastInX2APIC), let map = destinationMap()
    {
      if message.destination.mode == .physical {
        if identifier < 256, map.physical[Int(identifier)] >= 0 { meant = 1 << UInt64(map.physical[Int(identifier)]) }
        return meant
      }
      if let (first, members, isPhysical) = map.logicalMembers(identifier) {
        for bit in 0..<16 where members >> UInt32(bit) & 1 != 0 {
          let vcpu = isPhysical ? map.physical[first + bit] : map.logical[first + bit]
          if vcpu >= 0 { meant |= 1 << UInt64(vcpu) }
        }
        return meant
      }
    }
    for vcpu in localAPICs.indices where localAPICs[vcpu].isPresent && isMeant(vcpu, message, nil) {
      meant |= 1 << UInt64(vcpu)
    }
    return meant
  }

  private func isMeant(_ vcpu: Int, _ message: BusMessage, _ sender: Int?) -> Bool {
    switch message.shorthand {
    case .none:
      isUnderstood(message.destination, by: vcpu)
        && localAPICs[vcpu].page.isDestination(
          message.destination, mode: localAPICs[vcpu].mode,
          id: identifier(localAPICs[vcpu], message.destination),
          isInterprocessor: sender != nil,
          hasBroadcastQuirk: configuration.deviations.contains(.messageBroadcastInX2APIC))
    case .`self`: vcpu == sender
    case .allIncludingSelf: true
    case .allExcludingSelf: vcpu != sender
    }
  }

  /// The x2APIC ID that a destination is compared with; a logical one with the LDR, which follows the ID register.
  func identifier(_ apic: ReferenceLocalAPIC, _ destination: Destination) -> UInt32 {
    destination.mode == .logical && apic.mode == .x2APIC ? apic.page[.id] : apic.id
  }

  /// The map of destinations, which is made again when it is asked after a change.
  mutating func destinationMap() -> DestinationMap? {
    if map == nil {
      map = DestinationMap(
        localAPICs, usesWideIDs: configuration.usesWideIDs,
        ignoresAliases: configuration.deviations.contains(.aliasesUnnoticed))
    }
    return map
  }

  /// Whether a local APIC's DFR is one with which it understands a logical destination at all.
  func isUnderstood(_ destination: Destination, by vcpu: Int) -> Bool {
    guard destination.mode == .logical, localAPICs[vcpu].mode != .x2APIC, destination.identifier != 0xff,
      configuration.deviations.contains(.destinationFormatComparedWhole)
    else { return true }
    return localAPICs[vcpu].page[.destinationFormat] | 0xf000_0000 == .max
  }

  /// Who of several takes an interrupt of lowest priority: the one that runs at the lowest priority (SDM volume 3A, section
  /// 12.6.2.4), or in KVM the one whose number the vector chooses.
  private func lowestPriority(of candidates: UInt64, _ vector: Vector) -> Int {
    guard configuration.deviations.contains(.lowestPriorityByVector) else {
      let all = localAPICs.indices.filter { candidates >> UInt64($0) & 1 != 0 }
      return all.min { localAPICs[$0].page.processorPriority.rawValue < localAPICs[$1].page.processorPriority.rawValue }
        ?? 0
    }
    var rest = candidates
    for _ in 0..<Int(vector.rawValue) % candidates.nonzeroBitCount { rest &= rest - 1 }
    return rest.trailingZeroBitCount
  }
}

/// What became of an interrupt that a device raised, as KVM answers (KVM API, KVM_IRQ_LINE_STATUS and KVM_SIGNAL_MSI).
public enum DeliveryAnswer: Hashable, Sendable {
  /// That many local APICs or pins took it.
  case delivered(UInt32)
  /// It was pending already, or those that it was for do not take it.
  case coalesced
  /// It reached nobody: a masked pin, no route, no destination.
  case ignored

  /// The answer that is KVM's number.
  init(_ number: Int) { self = number > 0 ? .delivered(UInt32(number)) : number == 0 ? .coalesced : .ignored }

  /// KVM's number: above 0, 0 or -1.
  var number: Int {
    switch self {
    case .delivered(let count): Int(count)
    case .coalesced: 0
    case .ignored: -1
    }
  }

  /// The answer of a GSI that leads to several pins or messages: what was taken adds up (`kvm_set_irq`).
  func adding(_ other: DeliveryAnswer) -> DeliveryAnswer {
    guard other != .ignored else { return self }
    return DeliveryAnswer(other.number + max(0, number))
  }
}
