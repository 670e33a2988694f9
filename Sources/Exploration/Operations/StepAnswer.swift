public import ReferenceModel

/// What the answer to a step was, or may be.
public enum StepAnswer: Hashable, Sendable {
  /// It was done, and says nothing.
  case done
  /// It was refused.
  case refused
  /// The processor refused to enter the guest, for a reason that it numbers.
  case entryRefused(UInt64)
  /// What became of an interrupt.
  case delivery(DeliveryAnswer)
  /// A value, or where time decides between which two it may be.
  case value(UInt64, upTo: UInt64)

  /// A value that is known.
  static func value(_ value: UInt64) -> StepAnswer { .value(value, upTo: value) }

  /// Whether a machine may answer so where this is expected.
  func allows(_ seen: StepAnswer) -> Bool {
    guard case .value(let least, let most) = self, case .value(let value, _) = seen else { return self == seen }
    return least <= value && value <= most
  }
}

extension StepAnswer: CustomStringConvertible {
  /// The answer in words, as in `delivered to 2` and `0x40`.
  public var description: String {
    switch self {
    case .done: "done"
    case .refused: "refused"
    case .entryRefused(let reason): "entry refused, hardware reason \(reason)"
    case .delivery(.delivered(let count)): "delivered to \(count)"
    case .delivery(.coalesced): "coalesced"
    case .delivery(.ignored): "ignored"
    case .value(let least, let most):
      least == most ? "0x" + String(least, radix: 16) : "0x\(String(least, radix: 16)) to 0x\(String(most, radix: 16))"
    }
  }
}
