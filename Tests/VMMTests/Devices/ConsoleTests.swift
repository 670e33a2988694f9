import Synchronization
import Testing

@testable import VMM

@Suite struct ConsoleTests {
  /// A sink that takes at most three bytes a call.
  private final class SlowSink: Sendable {
    let taken = Mutex<[UInt8]>([])
    func take(_ bytes: ArraySlice<UInt8>) -> Int {
      taken.withLock { $0 += bytes.prefix(3) }
      return min(bytes.count, 3)
    }
  }

  @Test func `what is printed is kept and handed on, however little the sink takes at once`() {
    let sink = SlowSink()
    let console = Console { sink.take($0) }
    console.write(Array("Hello, ".utf8))
    console.write(Array("world".utf8))
    #expect(console.text == "Hello, world")
    #expect(sink.taken.withLock { $0 } == Array("Hello, world".utf8))
    #expect(console.droppedBytes == 0)
  }

  @Test func `beyond the limit bytes are counted only`() {
    let sink = SlowSink()
    let console = Console(limit: 5) { sink.take($0) }
    for _ in 0..<4 { console.write(Array("abc".utf8)) }
    #expect(console.text == "abcab")
    #expect(sink.taken.withLock { $0.count } == 5)
    #expect(console.droppedBytes == 7)
  }

  @Test func `bytes that are no UTF-8 are replaced`() {
    let console = Console()
    console.write([0x61, 0xff, 0x62])
    #expect(console.text == "a\u{fffd}b")
  }

  @Test func `after its closing the sink gets nothing, but the text is kept`() {
    let sink = SlowSink()
    let console = Console { sink.take($0) }
    console.close()
    console.write([0x61])
    #expect(console.text == "a")
    #expect(sink.taken.withLock { $0.isEmpty })
  }

  @Test func `a sink that fails is asked no more, and the text is kept`() {
    let calls = Atomic<Int>(0)
    let console = Console { _ in
      calls.wrappingAdd(1, ordering: .relaxed)
      return -1
    }
    console.write(Array("ab".utf8))
    console.write(Array("cd".utf8))
    #expect(console.text == "abcd")
    #expect(calls.load(ordering: .relaxed) == 1)
  }
}
