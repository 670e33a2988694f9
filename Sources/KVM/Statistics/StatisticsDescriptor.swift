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
