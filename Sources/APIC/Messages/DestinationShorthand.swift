/// A destination that the sender knows without an address (SDM volume 3A, section 12.6.1).
public enum DestinationShorthand: UInt8, Sendable {
  /// The destination field says where.
  case none = 0
  /// The sender itself.
  case `self` = 1
  /// Every local APIC.
  case allIncludingSelf = 2
  /// Every local APIC but the sender.
  case allExcludingSelf = 3

  /// The shorthand in bits 1:0; the bits above are ignored.
  init(field: UInt64) {
    switch field & 3 {
    case 0: self = .none
    case 1: self = .`self`
    case 2: self = .allIncludingSelf
    default: self = .allExcludingSelf
    }
  }
}

#if !hasFeature(Embedded)
extension DestinationShorthand: CaseIterable {}
#endif
