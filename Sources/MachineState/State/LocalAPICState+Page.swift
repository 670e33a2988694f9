public import APIC
public import JSON
import Support

/// The register page as bytes: `struct kvm_lapic_state`, which is what other programs keep of a local APIC.
extension LocalAPICState {
  /// The size of the page in bytes (KVM_APIC_REG_SIZE).
  public static let pageSize = 1024

  /// The page, each register least significant byte first.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.pageSize)
    for index in registers.indices {
      bytes.appendLittleEndian(registers[index])
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
      registers[index] = page.littleEndian(UInt32.self, at: 4 * index) ?? 0
    }
  }
}
