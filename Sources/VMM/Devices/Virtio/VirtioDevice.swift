/// A virtio device that a machine has on its PCI bus.
public enum VirtioDevice: Hashable, Sendable {
  /// virtio-rng: random bytes of the host's.
  case entropy
  /// virtio-blk: a disk.
  case disk(Disk)

  /// A file of the host's that the guest has as a disk.
  public struct Disk: Hashable, Sendable {
    /// The file's path: an image or a block device, with a multiple of 512 bytes.
    public var path: String
    /// Whether the guest can only read it.
    public var isReadOnly: Bool

    /// A disk.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - isReadOnly: whether the guest can only read it. One that can be written belongs to one machine at a time.
    public init(path: String, isReadOnly: Bool = false) {
      self.path = path
      self.isReadOnly = isReadOnly
    }
  }

  /// How many a machine has at most: each has a line of the IOAPIC that no other device uses.
  public static let limit = 8

  /// What the device is called: `rng` or `disk`.
  public var kind: String {
    switch self {
    case .entropy: "rng"
    case .disk: "disk"
    }
  }

  /// What it offers its driver.
  var offer: VirtioOffer {
    switch self {
    case .entropy: VirtioEntropy.offer
    case .disk(let disk): VirtioBlock.offer(isReadOnly: disk.isReadOnly)
    }
  }

  /// What it does.
  ///
  /// - Parameter index: which of the machine's devices.
  func model(_ index: Int) throws(DiskError) -> any VirtioModel {
    switch self {
    case .entropy: VirtioEntropy()
    case .disk(let disk): VirtioBlock(file: try DiskFile(disk), identity: "lapwing-\(index)")
    }
  }
}

/// Where a machine's virtio devices are, for who describes the machine to its guest. The first is device 4 of bus 0, in the
/// order of the configuration.
public enum VirtioPlace {
  /// The PCI device number, 0 to 31, of the first; the others follow.
  public static let firstSlot: UInt8 = 4
  /// Where the first has its registers when the guest starts, as firmware would have put them; the others follow.
  public static let firstAddress: UInt64 = 0xfea0_0000
  /// How much memory each decodes, in bytes.
  public static let size: UInt64 = 0x8000
  /// The GSI of the first one's line, level-triggered and active high; the others follow.
  public static let firstLine: UInt32 = 16
  /// The addresses that base addresses may be moved to: where the machine has nothing else.
  public static var window: Range<UInt64> { PCIBus.memoryWindow }

  /// How many GSIs each has for its MSI-X vectors.
  static let gsis: UInt32 = 8
  /// The first GSI of the first one's vectors, above what guests take by themselves.
  static let firstGSI: UInt32 = 512

  /// The GSIs of so many devices' vectors.
  static func gsis(ofDevices count: Int) -> Range<UInt32> { firstGSI..<firstGSI + gsis * UInt32(count) }

  /// Bits 15 to 8 of a configuration address of function 0.
  static func function(_ index: Int) -> UInt8 { (firstSlot + UInt8(index)) << 3 }
}
