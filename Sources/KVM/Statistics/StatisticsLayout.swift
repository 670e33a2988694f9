import Support

/// Where a statistics file has what: its header and descriptors, which never change while it is open.
///
/// The bytes are the kernel's, but nothing here trusts them: a layout that was made reads inside the file's data only.
struct StatisticsLayout: Hashable, Sendable {
  /// What is wrong with bytes that are no statistics.
  enum FormatError: Error, Hashable {
    case shortHeader
    case implausibleHeader
    case shortDescriptors
    case implausibleDescriptor(Int)
  }

  /// The fixed part at the start of the file (`struct kvm_stats_header`).
  struct Header: Hashable, Sendable {
    static let size = 24
    var nameSize: Int
    var descriptorCount: Int
    var descriptorOffset: Int
    var dataOffset: Int

    /// How many bytes the descriptors take.
    var descriptorsSize: Int { descriptorCount * (Self.descriptorHeadSize + nameSize) }

    /// The fixed part of `struct kvm_stats_desc`; the name follows.
    static let descriptorHeadSize = 16

    init(_ bytes: [UInt8]) throws(FormatError) {
      guard bytes.count >= Self.size else { throw .shortHeader }
      nameSize = Int(bytes.integer(at: 4, as: UInt32.self))
      descriptorCount = Int(bytes.integer(at: 8, as: UInt32.self))
      descriptorOffset = Int(bytes.integer(at: 16, as: UInt32.self))
      dataOffset = Int(bytes.integer(at: 20, as: UInt32.self))
      // KVM has names of 48 bytes and well below 200 statistics; room for growth, but not for nonsense.
      guard (1...1024).contains(nameSize), descriptorCount <= 65536, descriptorOffset >= Self.size,
        dataOffset >= Self.size
      else { throw .implausibleHeader }
    }
  }

  var header: Header
  var descriptors: [StatisticsDescriptor]

  /// How many 64-bit values the data is read as.
  var valueCount: Int

  /// By name, where in `descriptors` it is.
  var index: [String: Int]

  init(_ header: Header, descriptors bytes: [UInt8]) throws(FormatError) {
    guard bytes.count >= header.descriptorsSize else { throw .shortDescriptors }
    self.header = header
    descriptors = []
    index = [:]
    valueCount = 0
    for number in 0..<header.descriptorCount {
      let descriptor = try StatisticsDescriptor(bytes, number, nameSize: header.nameSize)
      index[descriptor.name] = number
      valueCount = max(valueCount, descriptor.position + descriptor.count)
      descriptors.append(descriptor)
    }
  }
}

extension StatisticsDescriptor {
  fileprivate init(_ bytes: [UInt8], _ number: Int, nameSize: Int) throws(StatisticsLayout.FormatError) {
    let headSize = StatisticsLayout.Header.descriptorHeadSize
    let start = number * (headSize + nameSize)
    let flags = bytes.integer(at: start, as: UInt32.self)
    let count = Int(bytes.integer(at: start + 6, as: UInt16.self))
    let offset = Int(bytes.integer(at: start + 8, as: UInt32.self))
    let name = bytes[(start + headSize)..<(start + headSize + nameSize)].prefix { $0 != 0 }
    // The data of a VM or vCPU is a few KiB of 64-bit values.
    guard count > 0, offset % 8 == 0, offset <= 1 << 20, !name.isEmpty, name.count < nameSize else {
      throw .implausibleDescriptor(number)
    }
    self.init(
      name: String(decoding: name, as: UTF8.self),
      kind: Kind(flags: flags, bucketSize: bytes.integer(at: start + 12, as: UInt32.self)),
      unit: Unit(flags: flags),
      exponent: bytes.integer(at: start + 4, as: Int16.self),
      base: flags >> 8 & 0xf == 1 ? 2 : 10,  // KVM_STATS_BASE_MASK
      position: offset / 8, count: count)
  }
}

extension [UInt8] {
  /// The integer whose bytes are there, least significant first; the caller has checked that they are.
  func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
    littleEndian(type, at: offset) ?? 0
  }
}

/// What a statistic counts (KVM API, KVM_GET_STATS_FD, `struct kvm_stats_desc`).
public struct StatisticsDescriptor: Hashable, Sendable {
  /// How a statistic's value changes.
  public enum Kind: Hashable, Sendable {
    /// It only grows.
    case cumulative
    /// It is a state, which rises and falls.
    case instant
    /// It is the most there has been.
    case peak
    /// It counts values in buckets that are that wide; the last has all beyond.
    case linearHistogram(bucketSize: UInt32)
    /// It counts values in buckets: 0, 1, 2 to 3, 4 to 7 and so on.
    case logHistogram
    /// Something newer than this library.
    case unknown(UInt32)
  }

  /// What a statistic's value is a number of, once multiplied with `scale`.
  public enum Unit: Hashable, Sendable {
    /// Events or things.
    case none
    /// Bytes.
    case bytes
    /// Seconds.
    case seconds
    /// Clock cycles.
    case cycles
    /// 0 for no, 1 for yes.
    case boolean
    /// Something newer than this library.
    case unknown(UInt32)
  }

  /// Its name, the same on every host that has it.
  public var name: String

  /// How its value changes.
  public var kind: Kind

  /// What its value is a number of.
  public var unit: Unit

  /// The power of `base` that the value is to be multiplied with: -9 for nanoseconds.
  public var exponent: Int16

  /// 10 or 2.
  public var base: Int

  /// Where its first value is among all values.
  var position: Int

  /// How many values it has; 1 unless it is a histogram.
  var count: Int
}

extension StatisticsDescriptor.Kind {
  init(flags: UInt32, bucketSize: UInt32) {
    self =
      switch flags & 0xf {  // KVM_STATS_TYPE_MASK
      case 0: .cumulative
      case 1: .instant
      case 2: .peak
      case 3: .linearHistogram(bucketSize: bucketSize)
      case 4: .logHistogram
      case let other: .unknown(other)
      }
  }

  /// Whether values of two moments can be subtracted.
  var isCounting: Bool {
    switch self {
    case .cumulative, .linearHistogram, .logHistogram: true
    case .instant, .peak, .unknown: false
    }
  }
}

extension StatisticsDescriptor.Unit {
  init(flags: UInt32) {
    self =
      switch flags >> 4 & 0xf {  // KVM_STATS_UNIT_MASK
      case 0: .none
      case 1: .bytes
      case 2: .seconds
      case 3: .cycles
      case 4: .boolean
      case let other: .unknown(other)
      }
  }
}
