/// Which way data goes between guest and device.
public enum Direction: UInt8, Hashable, Sendable {
  /// The guest reads.
  case read = 0
  /// The guest writes.
  case write = 1
}

/// An access to an I/O port (KVM_EXIT_IO).
public struct PortAccess: Hashable, Sendable {
  /// Whether the guest reads (IN, INS) or writes (OUT, OUTS).
  public var direction: Direction
  /// The first port.
  public var port: UInt16
  /// The bytes of one item: 1, 2 or 4.
  public var width: UInt8
  /// How many items; above 1 only for string instructions, whose data `VCPU.withPortData` has.
  public var count: UInt32
  /// What the guest writes, for a write of one item; else 0.
  public var value: UInt32

  /// An access.
  public init(direction: Direction, port: UInt16, width: UInt8, count: UInt32 = 1, value: UInt32 = 0) {
    self.direction = direction
    self.port = port
    self.width = width
    self.count = count
    self.value = value
  }
}

/// An access to a guest-physical address without memory (KVM_EXIT_MMIO).
public struct MMIOAccess: Hashable, Sendable {
  /// Whether the guest reads or writes.
  public var direction: Direction
  /// Where, guest-physical.
  public var address: UInt64
  /// How many bytes, 1 to 8.
  public var length: UInt8
  /// What the guest writes, its first byte the least significant; 0 for a read.
  public var value: UInt64

  /// An access.
  public init(direction: Direction, address: UInt64, length: UInt8, value: UInt64 = 0) {
    self.direction = direction
    self.address = address
    self.length = length
    self.value = value
  }
}

/// An access to an MSR (KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR).
public struct MSRAccess: Hashable, Sendable {
  /// Why KVM leaves it to user space.
  public var reason: MSRExitReasons
  /// The MSR.
  public var index: UInt32
  /// What the guest writes; 0 for a read.
  public var value: UInt64

  /// An access.
  public init(reason: MSRExitReasons, index: UInt32, value: UInt64 = 0) {
    self.reason = reason
    self.index = index
    self.value = value
  }
}

/// An access to the task-priority register (KVM_EXIT_TPR_ACCESS).
public struct TPRAccess: Hashable, Sendable {
  /// Where the instruction is.
  public var rip: UInt64
  /// Whether it reads or writes.
  public var direction: Direction

  /// An access.
  public init(rip: UInt64, direction: Direction) {
    self.rip = rip
    self.direction = direction
  }
}

/// A call of a hypervisor function (KVM_EXIT_HYPERCALL).
public struct Hypercall: Hashable, Sendable {
  /// The function's number.
  public var number: UInt64
  /// Its six arguments.
  public var arguments: [UInt64]

  /// A call.
  public init(number: UInt64, arguments: [UInt64]) {
    self.number = number
    self.arguments = arguments
  }
}
