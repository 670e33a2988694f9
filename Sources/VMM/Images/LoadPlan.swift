import Support

/// What of an image goes where in guest memory, and how its first instruction is reached.
///
/// A plan is made without memory and checked against it before the first byte is copied, so a bad image leaves nothing
/// behind.
public struct LoadPlan: Hashable, Sendable {
  /// A stretch of memory that the image claims.
  public struct Segment: Hashable, Sendable {
    /// The guest-physical address of its first byte.
    public var address: UInt64
    /// Its bytes in memory, at least as many as in the file; the rest is zero.
    public var size: UInt64
    /// Where its bytes lie in the file.
    public var file: Range<Int>

    /// What it covers; only once it was found that it does not wrap around.
    var range: Range<UInt64> { address..<address + size }
  }

  /// How the bootstrap processor gets to the first instruction.
  public enum Entry: Hashable, Sendable {
    /// In long mode, with memory identity-mapped, at this address.
    case longMode(UInt64)
    /// In real mode, at this linear address below 1 MiB.
    case realMode(UInt64)
    /// In 32-bit protected mode without paging at this address, with the Multiboot magic in EAX and the address of the
    /// Multiboot information in EBX.
    case multiboot(UInt32)
    /// A Linux kernel by its 64-bit boot protocol: in long mode at this address, with that of the boot parameters in RSI.
    case linux(UInt64)
    /// A kernel by the PVH protocol: in 32-bit protected mode without paging at this address, with that of `hvm_start_info` in
    /// EBX.
    case pvh(UInt32)

    /// Whether it is a kernel that finds its machine by ACPI, and may have an initial RAM disk.
    var isKernel: Bool {
      switch self {
      case .linux, .pvh: true
      case .longMode, .realMode, .multiboot: false
      }
    }
  }

  /// The segments, in the order of the file.
  public var segments: [Segment]
  /// The way in.
  public var entry: Entry
  /// What a bzImage says of itself; nil for any other image.
  var setupHeader: SetupHeader?

  /// Checks the plan against guest memory from 0 to `memory` (in bytes).
  ///
  /// - Throws: `ImageError` where a segment wraps around, lies outside or overlaps another, and where the entry point
  ///   lies in none.
  public func validate(memory: UInt64) throws(ImageError) {
    if segments.allSatisfy({ $0.size == 0 }) { throw .nothingToLoad }
    for (index, segment) in segments.enumerated() where segment.size > 0 {
      let (end, wraps) = segment.address.addingReportingOverflow(segment.size)
      if wraps { throw .wrapsAround(segment: index, address: segment.address, size: segment.size) }
      if end > memory {
        throw .outsideMemory(segment: index, address: segment.address, size: segment.size, memory: memory)
      }
    }
    let sorted = segments.indices.filter { segments[$0].size > 0 }.sorted {
      segments[$0].address < segments[$1].address
    }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where segments[first].address + segments[first].size > segments[second].address {
      let (one, other) = (min(first, second), max(first, second))
      throw .overlapping(first: one, segments[one].range, second: other, segments[other].range)
    }
    guard segments.contains(where: { $0.address <= entryAddress && entryAddress - $0.address < $0.size }) else {
      throw .entryOutside(entryAddress)
    }
  }

  /// The linear address of the first instruction.
  public var entryAddress: UInt64 {
    switch entry {
    case .longMode(let address), .realMode(let address), .linux(let address): address
    case .multiboot(let address), .pvh(let address): UInt64(address)
    }
  }
}

/// An image as it lies in its file, read with every access checked.
public struct ImageBytes: Sendable {
  /// The bytes themselves.
  public let bytes: [UInt8]

  /// Takes the contents of a file.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// How many there are.
  public var count: Int { bytes.count }

  /// A little-endian number at `offset`, or nil where the image ends before its last byte.
  func load<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at offset: UInt64) -> T? {
    Int(exactly: offset).flatMap { bytes.littleEndian(type, at: $0) }
  }

  /// The same, where a missing byte is an error that names `what` was looked for.
  func load<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, at offset: UInt64, _ what: String
  ) throws(ImageError) -> T {
    guard let value = load(type, at: offset) else { throw .truncated(what: what) }
    return value
  }
}
