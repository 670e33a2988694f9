import GuestContract
import GuestKit
import GuestMachine

let warmUps = Int(LAPWING_BENCH_WARM_UPS)
nonisolated(unsafe) var samples = 0
nonisolated(unsafe) var taken = 0

/// Keeps a sample, in TSC cycles. An interrupt that is early, as the TSC counts, is not late at all.
func keep(from start: UInt64, to end: UInt64) {
  taken &+= 1
  if taken > warmUps { note("cycles", end >= start ? end &- start : 0) }
}

var isDone: Bool { taken >= samples &+ warmUps }

@inline(__always) func time(_ body: () -> Void) {
  while !isDone {
    let start = tsc_read_in_order()
    body()
    keep(from: start, to: tsc_read_in_order())
  }
}

/// When the handler began. An interrupt that is lost ends the guest, and the measurement with it.
func awaitStamp() -> UInt64 {
  guard wait(within: .seconds(2), until: { stamp_read() != 0 }) else {
    expect("the interrupt that is timed arrives", false)
    finish(status: 1)
  }
  return stamp_read()
}
