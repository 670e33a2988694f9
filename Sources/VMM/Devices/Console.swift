import Synchronization

/// What a guest printed: handed on as it comes, and kept, up to a limit that the guest cannot move.
public final class Console: Sendable {
  /// Hands bytes on and says how many it took; fewer, or none, when a signal interrupted it; a negative number when
  /// nobody takes any more, and it is not called again.
  public typealias Sink = @Sendable (ArraySlice<UInt8>) -> Int

  private struct State {
    var kept: [UInt8] = []
    var dropped: UInt64 = 0
  }

  private let limit: Int
  private let sink: Sink
  private let state = Mutex(State())
  private let isClosed = Atomic<Bool>(false)

  /// A console.
  ///
  /// - Parameters:
  ///   - limit: how many bytes are kept and handed on; the rest is counted.
  ///   - sink: gets the bytes in order, on the vCPU's thread. It may block, but has to return when a signal comes.
  public init(limit: Int = 1 << 20, sink: @escaping Sink = { $0.count }) {
    self.limit = limit
    self.sink = sink
  }

  /// Takes bytes from the guest.
  func write(_ bytes: [UInt8]) {
    // The sink is called under the lock: what two vCPUs print stays in the order in which it is kept.
    state.withLock { state in
      var rest = bytes.prefix(limit - state.kept.count)
      state.dropped += UInt64(bytes.count - rest.count)
      state.kept += rest
      while !rest.isEmpty, !isClosed.load(ordering: .acquiring) {
        let count = sink(rest)
        if count < 0 { close() }
        rest = rest.dropFirst(max(0, count))
      }
    }
  }

  /// Hands nothing on from now on, so that a vCPU whose reader has gone to sleep can end.
  func close() { isClosed.store(true, ordering: .releasing) }

  /// What was kept; bytes that are not UTF-8 are replaced.
  public var text: String { state.withLock { String(decoding: $0.kept, as: UTF8.self) } }

  /// How many bytes came after the limit and are lost.
  public var droppedBytes: UInt64 { state.withLock { $0.dropped } }
}
