#if !hasFeature(Embedded)
extension InterruptCommand: CustomStringConvertible {
  /// The command's fields, as in `Fixed 0x40 to physical 1` and `Start Up 0x08 to all excluding self`.
  public var description: String {
    let status = rawValue.levelDescription + (deliveryPending ? ", send pending" : "")
    return "\(rawValue.deliveryDescription) to \(recipients)\(status)"
  }

  private var recipients: String {
    switch shorthand {
    case .none: destination.description
    case .`self`: "self"
    case .allIncludingSelf: "all including self"
    case .allExcludingSelf: "all excluding self"
    }
  }
}
#endif
