import CKVM
import SystemPackage

/// The statistics of a VM or a vCPU at one moment, by name (KVM API, KVM_GET_STATS_FD).
///
///     let before = try vcpu.statistics()
///     ...
///     let injected = try vcpu.statistics().delta(since: before)["irq_injections"]
public struct Statistics: Hashable, Sendable {
  let layout: StatisticsLayout
  var values: [UInt64]

  init(_ layout: StatisticsLayout, values: [UInt64]) {
    self.layout = layout
    self.values = values
  }

  /// What there is, in the kernel's order.
  public var descriptors: [StatisticsDescriptor] { layout.descriptors }

  /// The names, in the kernel's order.
  public var names: [String] { descriptors.map(\.name) }

  /// A statistic's value; nil when this kernel has none of that name, or it is a histogram.
  public subscript(name: String) -> UInt64? {
    guard let descriptor = descriptor(name), descriptor.count == 1 else { return nil }
    return values[descriptor.position]
  }

  /// A histogram's buckets; nil when this kernel has none of that name.
  ///
  /// A plain statistic is one bucket.
  public func histogram(_ name: String) -> [UInt64]? {
    guard let descriptor = descriptor(name) else { return nil }
    return Array(values[descriptor.position..<(descriptor.position + descriptor.count)])
  }

  /// What a name stands for.
  public func descriptor(_ name: String) -> StatisticsDescriptor? {
    layout.index[name].map { descriptors[$0] }
  }

  /// What happened between an earlier moment and this one: counts are the difference, states and peaks are as they are
  /// now.
  ///
  /// Statistics that the earlier ones lack count from 0.
  public func delta(since earlier: Statistics) -> Statistics {
    var result = self
    for descriptor in descriptors where descriptor.kind.isCounting {
      guard let before = earlier.histogram(descriptor.name) else { continue }
      for (offset, value) in before.prefix(descriptor.count).enumerated() {
        // A VM's sums fall when a vCPU goes; wrapping would make a huge number of that.
        let now = values[descriptor.position + offset]
        result.values[descriptor.position + offset] = now >= value ? now - value : 0
      }
    }
    return result
  }
}

/// The open statistics of a VM or a vCPU, to be read again and again (KVM API, KVM_GET_STATS_FD).
public final class StatisticsFile: Sendable {
  private let descriptor: OwnedDescriptor
  private let layout: StatisticsLayout

  init(_ descriptor: consuming OwnedDescriptor) throws(KVMError) {
    self.descriptor = descriptor
    do {
      let header = try StatisticsLayout.Header(
        self.descriptor.read(count: StatisticsLayout.Header.size, at: 0))
      layout = try StatisticsLayout(
        header, descriptors: self.descriptor.read(count: header.descriptorsSize, at: header.descriptorOffset))
    } catch let error as KVMError {
      throw error
    } catch {
      throw KVMError(call: .read, errno: .badMessage, detail: "statistics: \(error)")
    }
  }

  /// What there is, in the kernel's order.
  public var descriptors: [StatisticsDescriptor] { layout.descriptors }

  /// Reads all values as they are now.
  ///
  /// KVM updates them one by one, so two of them need not be of the same instant.
  ///
  /// - Throws: `KVMError` with EBADMSG when the file is shorter than its descriptors say.
  public func read() throws(KVMError) -> Statistics {
    let bytes = try descriptor.read(count: layout.valueCount * 8, at: layout.header.dataOffset)
    guard bytes.count == layout.valueCount * 8 else {
      throw KVMError(call: .read, errno: .badMessage, detail: "statistics: \(bytes.count) bytes")
    }
    return Statistics(layout, values: (0..<layout.valueCount).map { bytes.integer(at: $0 * 8, as: UInt64.self) })
  }
}

extension VirtualMachine {
  /// Opens the machine's statistics, to be read often (KVM_GET_STATS_FD).
  ///
  /// - Throws: `KVMError`: ENOTTY before Linux 5.14, EBADMSG for statistics that make no sense.
  public func openStatistics() throws(KVMError) -> StatisticsFile {
    try StatisticsFile(OwnedDescriptor(.getStatsFD, ckvm_get_stats_fd(descriptor.rawValue)))
  }

  /// The machine's statistics now.
  ///
  /// - Throws: as `openStatistics()`.
  public func statistics() throws(KVMError) -> Statistics {
    try openStatistics().read()
  }
}

extension VCPU {
  /// Opens the vCPU's statistics, to be read often (KVM_GET_STATS_FD).
  ///
  /// - Throws: `KVMError`: ENOTTY before Linux 5.14, EBADMSG for statistics that make no sense.
  public func openStatistics() throws(KVMError) -> StatisticsFile {
    try StatisticsFile(OwnedDescriptor(.getStatsFD, ckvm_get_stats_fd(descriptor.rawValue)))
  }

  /// The vCPU's statistics now.
  ///
  /// - Throws: as `openStatistics()`.
  public func statistics() throws(KVMError) -> Statistics {
    try openStatistics().read()
  }
}
