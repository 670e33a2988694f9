public import APIC
public import JSON

/// The register page as bytes: `struct kvm_lapic_state`, which is what other programs keep of a local APIC.
extension LocalAPICState {
  /// The size of the page in bytes (KVM_APIC_REG_SIZE).
  public static let pageSize = 1024

  /// The page, each register least significant byte first.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.pageSize)
    for index in registers.indices {
      let word = registers[index]
      for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes
  }

  /// The registers that a page has.
  ///
  /// - Parameter page: 1024 bytes.
  /// - Throws: `MalformedState` for another number of them.
  public init(page: [UInt8]) throws(MalformedState) {
    guard page.count == Self.pageSize else {
      throw MalformedState("\(Self.pageSize) bytes expected, not \(page.count)")
    }
    self.init()
    for index in registers.indices {
      let place = 4 * index
      registers[index] =
        UInt32(page[place]) | UInt32(page[place + 1]) << 8 | UInt32(page[place + 2]) << 16
        | UInt32(page[place + 3]) << 24
    }
  }
}
