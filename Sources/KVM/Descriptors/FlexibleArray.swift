/// A C structure that ends in a flexible array: a header and, right behind it, entries.
///
/// The KVM API uses them for CPUID leaves, MSRs, routes and lists. `ckvm_layout.c` asserts that in each of them the
/// entries start where the header ends. Both are C structures, which need no deinitialization.
@safe struct FlexibleArray<Header, Entry>: ~Copyable {
  /// How many entries there is room for.
  let capacity: Int

  private let storage: UnsafeMutableRawPointer
  private let start: UnsafeMutablePointer<Header>
  private let entries: UnsafeMutablePointer<Entry>

  /// A header and room for entries, which start as copies of `filler`.
  init(_ header: Header, repeating filler: Entry, count: Int) {
    capacity = count
    // Sound: the size covers header and entries, the alignment is that of both, and all of it is initialized here.
    unsafe storage = .allocate(
      byteCount: MemoryLayout<Header>.size + count * MemoryLayout<Entry>.stride,
      alignment: max(MemoryLayout<Header>.alignment, MemoryLayout<Entry>.alignment))
    unsafe start = storage.initializeMemory(as: Header.self, to: header)
    unsafe entries = (storage + MemoryLayout<Header>.size)
      .initializeMemory(as: Entry.self, repeating: filler, count: count)
  }

  deinit { unsafe storage.deallocate() }

  /// The header.
  var header: Header { unsafe start.pointee }

  /// The entry at an index below `capacity`.
  subscript(index: Int) -> Entry {
    get {
      precondition((0..<capacity).contains(index))
      return unsafe entries[index]
    }
    nonmutating set {
      precondition((0..<capacity).contains(index))
      unsafe entries[index] = newValue
    }
  }

  /// The first entries, at most as many as there is room for.
  func prefix(_ count: Int) -> [Entry] {
    (0..<max(0, min(count, capacity))).map { self[$0] }
  }

  /// Hands the C structure to a call, which must not keep it.
  ///
  /// - Parameter body: gets a pointer that is good for the header and `capacity` entries.
  @unsafe func withHeader<Answer>(_ body: (UnsafeMutablePointer<Header>) -> Answer) -> Answer {
    unsafe body(start)
  }
}

extension FlexibleArray {
  /// A header and entries of one's own.
  init(_ header: Header, _ entries: [Entry], empty filler: Entry) {
    self.init(header, repeating: filler, count: entries.count)
    for (index, entry) in entries.enumerated() { self[index] = entry }
  }
}
