/// The formats that a state is read from.
public enum StateFormat: String, Hashable, Sendable, CaseIterable, Codable {
  /// `lapwing snapshot`.
  case lapwing
  /// QEMU's migration stream, with or without libvirt's header.
  case qemu
  /// The text of QEMU's monitor.
  case monitor
  /// Register pages of local APICs.
  case pages
  /// Cloud Hypervisor's `state.json`.
  case cloudHypervisor = "cloud-hypervisor"
  /// Firecracker's `vmstate`.
  case firecracker

  /// The format for a person.
  public var words: String {
    switch self {
    case .lapwing: "a machine's state"
    case .qemu: "a migration stream of QEMU"
    case .monitor: "text of QEMU's monitor"
    case .pages: "register pages of local APICs"
    case .cloudHypervisor: "a state of Cloud Hypervisor"
    case .firecracker: "a state of Firecracker"
    }
  }
}

/// What is wrong with a file: its format, the place, and what was expected there.
public struct ForeignStateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The format that it was read as.
  public var format: StateFormat
  /// How many bytes come before the place; nil where it is no single place.
  public var offset: UInt64?
  /// What is wrong, and what was expected.
  public var problem: String

  /// A problem at a place.
  public init(_ format: StateFormat, at offset: UInt64? = nil, _ problem: String) {
    self.format = format
    self.offset = offset
    self.problem = problem
  }

  /// `a migration stream of QEMU, at byte 0x1c: ...`.
  public var description: String {
    let place = offset.map { ", at byte 0x" + String($0, radix: 16) } ?? ""
    return "\(format.words)\(place): \(problem)"
  }
}
