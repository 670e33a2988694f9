import APIC
public import Evidence
import Watch

/// The interrupts of one vector on one vCPU, for a report.
public struct WatchedInterrupt: Codable, Sendable {
  /// KVM's id of the vCPU.
  public var vcpu: UInt32
  /// The vector.
  public var vector: UInt8
  /// How often the local APIC accepted it.
  public var accepted: UInt64
  /// How many of those were one with another that waited.
  public var coalesced: UInt64
  /// How often it was handed to the hardware.
  public var posted: UInt64
  /// How often software injected it.
  public var injected: UInt64
  /// How often software injected it anew.
  public var reinjected: UInt64
  /// How often KVM saw the end of its service.
  public var ended: UInt64
  /// What those that were accepted came from.
  public var sources: [Source]
  /// How those got into the guest that were over in the interval.
  public var ways: Ways
  /// The way of those that have ended and of which nothing tells it, where this host leaves only one: without APICv it is software's.
  public var concludedWay: DeliveryPath?
  /// From acceptance to injection by software; absent where there was none.
  public var injectionLatency: Latency?
  /// From acceptance to the halted vCPU's going on; absent where there was none.
  public var wakeUpLatency: Latency?

  /// How many came from somewhere.
  public struct Source: Codable, Sendable {
    /// From what; absent for what was not seen.
    public var source: JourneyReport.Source?
    /// The id of the vCPU that sent an IPI; absent where another thread wrote the command, and for the rest where there are
    /// more senders than are told apart.
    public var sender: UInt32?
    /// The GSI of a line.
    public var gsi: UInt32?
    /// The IOAPIC's pin of a line that was still high.
    public var pin: Int?
    /// How many.
    public var count: UInt64
  }

  /// How many got into the guest in which way.
  public struct Ways: Codable, Sendable {
    /// Software injected them.
    public var software: UInt64
    /// By virtual-interrupt delivery.
    public var virtualDelivery: UInt64
    /// Posted into the running guest.
    public var posted: UInt64
    /// Delivered, since they have ended, and nothing tells how.
    public var ended: UInt64
    /// Nothing tells whether they were delivered.
    public var unknown: UInt64
  }

  /// A latency's percentiles, in nanoseconds.
  public struct Latency: Codable, Sendable {
    /// Of how many interrupts.
    public var count: UInt64
    /// The median.
    public var median: UInt64
    /// The 90th percentile.
    public var p90: UInt64
    /// The 99th percentile.
    public var p99: UInt64
    /// The 99.9th percentile.
    public var p999: UInt64
    /// The longest.
    public var longest: UInt64

    init(_ count: LatencyCount) {
      self.init(
        count: count.count, median: count.median, p90: count.p90, p99: count.p99, p999: count.p999,
        longest: count.longest)
    }

    private init(count: UInt64, median: UInt64, p90: UInt64, p99: UInt64, p999: UInt64, longest: UInt64) {
      (self.count, self.median, self.p90, self.p99, self.p999, self.longest) = (count, median, p90, p99, p999, longest)
    }
  }
}

extension WatchedInterrupt {
  /// - Parameters:
  ///   - count: what was counted.
  ///   - hasAPICv: whether the host could deliver without software; nil where nothing tells.
  init(_ count: InterruptCount, hasAPICv: Bool?) {
    vcpu = count.vcpu
    vector = count.vector.rawValue
    (accepted, coalesced, posted) = (count.accepted, count.coalesced, count.posted)
    (injected, reinjected, ended) = (count.injected, count.reinjected, count.ended)
    sources = count.sources.sorted { $0.count > $1.count }.map(Source.init)
    ways = Ways(
      software: count.ways.software, virtualDelivery: count.ways.virtualDelivery, posted: count.ways.posted,
      ended: count.ways.ended, unknown: count.ways.unknown)
    if hasAPICv == false, ways.ended > 0 { concludedWay = .software }
    injectionLatency = count.injection.map(Latency.init)
    wakeUpLatency = count.wakeUp.map(Latency.init)
  }

  /// What they are ordered by.
  var total: UInt64 { max(accepted, injected) }
}

extension WatchedInterrupt.Source {
  fileprivate init(_ seen: InterruptCount.Source) {
    count = seen.count
    switch seen.source {
    case .ipi(let id): (source, sender) = (.ipi, id.map(UInt32.init(truncatingIfNeeded:)))
    case .message: source = .message
    case .line(let gsi): (source, self.gsi) = (.line, gsi)
    case .heldLine(let pin): (source, self.pin) = (.heldLine, pin)
    case .localAPIC: source = .localAPIC
    case nil: break
    }
  }
}
