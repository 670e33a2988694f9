/// A C structure that ends in a flexible array: a header and, right behind it, entries.
///
/// The KVM API uses them for CPUID leaves, MSRs, routes and lists. `ckvm_layout.c` asserts that in each of them the
/// entries start where the header ends.
@safe struct FlexibleArray<Header: BitwiseCopyable, Entry: BitwiseCopyable>: ~Copyable {
  /// How many entries there is room for.
  let capacity: Int

  private let storage: UnsafeMutableRawPointer

  /// A header and room for entries, which start as copies of `filler`.
  init(_ header: Header, repeating filler: Entry, count: Int) {
    capacity = count
    // Sound: the size covers header and entries, the alignment is that of both, and all of it is initialized here.
    unsafe storage = .allocate(
      byteCount: MemoryLayout<Header>.size + count * MemoryLayout<Entry>.stride,
      alignment: max(MemoryLayout<Header>.alignment, MemoryLayout<Entry>.alignment))
    unsafe storage.storeBytes(of: header, as: Header.self)
    for index in 0..<count { self[index] = filler }
  }

  deinit { unsafe storage.deallocate() }

  /// The header.
  var header: Header { unsafe storage.load(as: Header.self) }

  /// The entry at an index below `capacity`.
  subscript(index: Int) -> Entry {
    get {
      precondition((0..<capacity).contains(index))
      return unsafe storage.loadUnaligned(fromByteOffset: Self.offset(index), as: Entry.self)
    }
    nonmutating set {
      precondition((0..<capacity).contains(index))
      unsafe storage.storeBytes(of: newValue, toByteOffset: Self.offset(index), as: Entry.self)
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
    unsafe body(storage.assumingMemoryBound(to: Header.self))
  }

  private static func offset(_ index: Int) -> Int {
    MemoryLayout<Header>.size + index * MemoryLayout<Entry>.stride
  }
}

extension FlexibleArray {
  /// A header and entries of one's own.
  init(_ header: Header, _ entries: [Entry], empty filler: Entry) {
    self.init(header, repeating: filler, count: entries.count)
    for (index, entry) in entries.enumerated() { self[index] = entry }
  }
}
