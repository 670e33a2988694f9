import CKVM
import SystemPackage

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
