/// A test of pci-testdev: who answers the writes that it counts.
struct PCITest: Hashable, Sendable {
  enum Kind: UInt8, Hashable, Sendable, CaseIterable {
    /// The device, in user space.
    case noEvent
    /// KVM, whatever is written.
    case wildcard
    /// KVM, for the right value alone.
    case dataMatch
  }

  let kind: Kind
  let space: PCISpace

  /// None, and all tests by their numbers: first those in memory.
  static let all: [PCITest?] =
    [nil]
    + [PCISpace.memory, .port].flatMap { space in
      Kind.allCases.map { PCITest(number: $0.rawValue, space: space) }
    }

  /// The test of that number in that space; nil where there is none.
  init?(number: UInt8, space: PCISpace) {
    guard let kind = Kind(rawValue: number) else { return nil }
    self.kind = kind
    self.space = space
  }

  /// Whether a write counts only with the right value.
  var matchesData: Bool { kind != .wildcard }

  /// The value that the guest is to write.
  var data: UInt8 { matchesData ? 0xfa : 0xce }

  /// What KVM is to match: a value, or nil within for any; nil where KVM answers nothing.
  var event: UInt64?? {
    switch kind {
    case .noEvent: nil
    case .wildcard: .some(nil)
    case .dataMatch: .some(UInt64(data))
    }
  }

  /// Its number among all tests.
  private var number: UInt8 { (space == .memory ? 0 : UInt8(Kind.allCases.count)) + kind.rawValue }

  /// Where the guest is to write, in bytes from the base address.
  var offset: UInt64 { (space == .memory ? 2048 : 128) + UInt64(number) }

  private var name: String {
    let space = space == .memory ? "mmio" : "portio"
    return switch kind {
    case .noEvent: "\(space)-no-eventfd"
    case .wildcard: "\(space)-wildcard-eventfd"
    case .dataMatch: "\(space)-datamatch-eventfd"
    }
  }

  /// What the guest reads of it: number, width, where to write, what, how often it was written, and the name.
  func description(count: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [number, 1, 0, 0]
    for word in [UInt32(offset), UInt32(data), count] {
      for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes + name.utf8 + [0]
  }
}
