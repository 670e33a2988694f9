import APIC
import Evidence

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
