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
