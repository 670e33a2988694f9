import KVM
import Synchronization

extension Machine {
  /// The functions of the guest's image; nil where it has none, or where the machine was made from a snapshot.
  public var symbols: SymbolTable? { symbolTable.withLock { $0 } }

  /// Reads memory as a vCPU's instructions see it, page by page. Only while the vCPU does not run.
  ///
  /// - Parameters:
  ///   - address: a linear address of the guest's.
  ///   - count: how many bytes, at most 4096.
  ///   - index: the vCPU's.
  /// - Returns: the bytes up to the first that is not mapped, or is not guest memory.
  public func bytes(at address: UInt64, count: Int, of index: Int) -> [UInt8] {
    var found: [UInt8] = []
    while found.count < min(count, 4096) {
      let (next, wraps) = address.addingReportingOverflow(UInt64(found.count))
      guard !wraps, let physical = try? vcpus[index].translate(next) else { break }
      let inPage = Int(BootLayout.pageSize - next % BootLayout.pageSize)
      guard let bytes = try? memory.read(min(inPage, min(count, 4096) - found.count), at: physical) else { break }
      found += bytes
    }
    return found
  }
}
