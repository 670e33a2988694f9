public import APIC
public import Evidence
import Histogram

/// The interrupts of one vector on one vCPU in an interval.
public struct InterruptCount: Hashable, Sendable {
  /// KVM's id of the vCPU.
  public var vcpu: UInt32
  /// The vector.
  public var vector: Vector
  /// How often its local APIC accepted it (kvm_apic_accept_irq).
  public var accepted: UInt64 = 0
  /// How many of those were one with another that waited.
  public var coalesced: UInt64 = 0
  /// How often it was handed to the hardware (kvm_apicv_accept_irq).
  public var posted: UInt64 = 0
  /// How often software injected it (kvm_inj_virq).
  public var injected: UInt64 = 0
  /// How often software injected it anew after an exit in the middle of its delivery.
  public var reinjected: UInt64 = 0
  /// How often KVM saw the end of its service (kvm_eoi).
  public var ended: UInt64 = 0
  /// What those that were accepted came from.
  public var sources: [Source] = []
  /// How those got into the guest that were over in the interval.
  public var ways = Ways()
  /// From acceptance to injection.
  public var injection: LatencyCount?
  /// From acceptance to the vCPU's going on after HLT.
  public var wakeUp: LatencyCount?

  /// How many came from somewhere.
  public struct Source: Hashable, Sendable {
    /// From what; nil for what was not seen. A vCPU in it is told by KVM's id of it, not by its index. An IPI of none is one
    /// that another thread wrote, or of one of more senders than are told apart.
    public var source: InterruptSource?
    /// How many.
    public var count: UInt64
  }

  /// How many got into the guest in which way.
  public struct Ways: Hashable, Sendable {
    /// Software injected them.
    public var software: UInt64 = 0
    /// The processor delivered them from the virtual-APIC page.
    public var virtualDelivery: UInt64 = 0
    /// They were posted into the running guest.
    public var posted: UInt64 = 0
    /// They were delivered, since they have ended, and nothing tells how.
    public var ended: UInt64 = 0
    /// Nothing tells whether they were delivered.
    public var unknown: UInt64 = 0

    /// Counts one more.
    mutating func add(_ path: DeliveryPath?, hasEnded: Bool) {
      switch path {
      case .software: software += 1
      case .virtualDelivery: virtualDelivery += 1
      case .posted: posted += 1
      case nil: if hasEnded { ended += 1 } else { unknown += 1 }
      }
    }
  }

  init(vcpu: UInt32, vector: Vector) {
    self.vcpu = vcpu
    self.vector = vector
  }

  /// Whether nothing was counted.
  var isEmpty: Bool { accepted + posted + injected + reinjected + ended == 0 && ways == Ways() }

  /// How many sources are told apart, but for the rest: an IPI of no vCPU, or what was not seen.
  private static let sourceLimit = 32

  mutating func add(_ source: InterruptSource?) {
    let rest: InterruptSource? = if case .ipi = source { .ipi(vcpu: nil) } else { nil }
    if let index = sources.firstIndex(where: { $0.source == source }) {
      sources[index].count += 1
    } else if sources.count < Self.sourceLimit || source == rest {
      sources.append(Source(source: source, count: 1))
    } else {
      add(rest)
    }
  }
}

/// How long something took, many times: its percentiles, within 1 % of the value, from 1 ns to a minute.
public struct LatencyCount: Hashable, Sendable {
  /// How often.
  public var count: UInt64
  /// The median, in nanoseconds, as all of these.
  public var median: UInt64
  /// The 90th percentile.
  public var p90: UInt64
  /// The 99th percentile.
  public var p99: UInt64
  /// The 99.9th percentile.
  public var p999: UInt64
  /// The longest.
  public var longest: UInt64
}

/// Counts latencies.
struct LatencyHistogram {
  private var histogram = Histogram<UInt32>(
    lowestDiscernibleValue: 1, highestTrackableValue: longest, numberOfSignificantValueDigits: .two)

  /// A minute: what is longer counts as that.
  private static let longest: UInt64 = 60_000_000_000

  mutating func record(_ nanoseconds: UInt64) { _ = histogram.record(min(max(nanoseconds, 1), Self.longest)) }

  mutating func reset() { if histogram.totalCount > 0 { histogram.reset() } }

  /// The percentiles; nil where nothing was counted.
  var count: LatencyCount? {
    guard histogram.totalCount > 0 else { return nil }
    return LatencyCount(
      count: histogram.totalCount, median: histogram.median, p90: histogram.valueAtPercentile(90),
      p99: histogram.valueAtPercentile(99), p999: histogram.valueAtPercentile(99.9), longest: histogram.max)
  }
}

/// Counts interrupts by vCPU and vector, in a table of bounded size.
struct InterruptTable {
  private struct Row {
    var count: InterruptCount
    var injection: LatencyHistogram?
    var wakeUp: LatencyHistogram?
  }

  private var rows: [Row] = []
  /// The place in `rows` of a vCPU's vector, 256 for each vCPU; -1 for none.
  private var places: [Int32] = []
  private var histograms = 0
  /// Whether there were more rows than have histograms.
  private(set) var lacksLatencies = false

  /// How many histograms there may be, of some 13 KB each.
  private static let histogramLimit = 1024

  /// Changes the row of a vector on a vCPU.
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU's index.
  ///   - id: KVM's id of it.
  ///   - vector: the vector.
  @inline(__always)
  mutating func count(_ vcpu: Int, _ id: UInt32, _ vector: Vector, _ body: (inout InterruptCount) -> Void) {
    body(&rows[row(vcpu, id, vector)].count)
  }

  private mutating func row(_ vcpu: Int, _ id: UInt32, _ vector: Vector) -> Int {
    let place = vcpu * 256 + Int(vector.rawValue)
    if place >= places.count { places += [Int32](repeating: -1, count: (vcpu + 1) * 256 - places.count) }
    if places[place] >= 0 { return Int(places[place]) }
    rows.append(Row(count: InterruptCount(vcpu: id, vector: vector)))
    places[place] = Int32(rows.count - 1)
    return rows.count - 1
  }

  /// What a latency is of.
  enum Latency {
    case injection
    case wakeUp
  }

  mutating func record(_ latency: Latency, _ nanoseconds: UInt64, _ vcpu: Int, _ id: UInt32, _ vector: Vector) {
    let row = row(vcpu, id, vector)
    switch latency {
    case .injection: record(nanoseconds, row, \.injection)
    case .wakeUp: record(nanoseconds, row, \.wakeUp)
    }
  }

  private mutating func record(_ nanoseconds: UInt64, _ row: Int, _ histogram: WritableKeyPath<Row, LatencyHistogram?>)
  {
    if rows[row][keyPath: histogram] == nil {
      guard histograms < Self.histogramLimit else {
        lacksLatencies = true
        return
      }
      histograms += 1
      rows[row][keyPath: histogram] = LatencyHistogram()
    }
    rows[row][keyPath: histogram]?.record(nanoseconds)
  }

  /// Takes what was counted, and begins anew.
  mutating func take() -> [InterruptCount] {
    var counts: [InterruptCount] = []
    for index in rows.indices {
      var count = rows[index].count
      count.injection = rows[index].injection?.count
      count.wakeUp = rows[index].wakeUp?.count
      rows[index].injection?.reset()
      rows[index].wakeUp?.reset()
      rows[index].count = InterruptCount(vcpu: count.vcpu, vector: count.vector)
      if !count.isEmpty { counts.append(count) }
    }
    return counts
  }
}
