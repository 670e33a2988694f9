import Glibc

/// The page that KVM maps into a VMM's own address space for the local APICs in xAPIC mode
/// (`kvm_alloc_apic_access_page`): one page of shared memory without a name, a VM each.
enum APICAccessPage {
  /// Takes the pages away from this process's page tables, so that KVM must look for them again; their contents stay.
  ///
  /// Pages of other machines of this process are taken too, which does them no harm.
  ///
  /// - Returns: how many there are.
  static func invalidateAll() -> Int {
    mappings().count { range in
      // Sound: the pages are shared memory, which keeps its contents when it is unmapped, and nobody here points to them.
      guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { return false }
      return unsafe madvise(start, range.count, MADV_DONTNEED) == 0
    }
  }

  /// Writable shared mappings of a single page without a file behind them, by /proc/self/maps (proc(5)).
  private static func mappings() -> [Range<UInt>] {
    guard let file = unsafe fopen("/proc/self/maps", "re") else { return [] }
    defer { unsafe fclose(file) }
    var found: [Range<UInt>] = []
    var line = [CChar](repeating: 0, count: 8192)
    // Sound: the call writes no more than the count that it is given, with a zero at the end.
    while unsafe fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard let range = range(of: text), range.count == 4096 else { continue }
      found.append(range)
    }
    return found
  }

  private static func range(of line: String) -> Range<UInt>? {
    let fields = line.split(whereSeparator: \.isWhitespace)
    guard fields.count >= 6, fields[1].hasPrefix("rw-s"), fields[5] == "/dev/zero" else { return nil }
    let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
    guard ends.count == 2, ends[0] < ends[1] else { return nil }
    return ends[0]..<ends[1]
  }
}
