import GuestKit
import GuestMachine

/// How long the host may take for its part of a turn.
let patience = Interval.seconds(20)

func timeSnapshots() {
  var turn: UInt32 = 0
  while !isDone {
    stamp_clear()
    turn &+= 1
    // Before the mark: the host may do its part before the guest goes on after it.
    let start = tsc_read_in_order()
    reached(turn)
    keep(from: 0, to: longestGap(since: start))
    localAPIC.endOfInterrupt()
  }
}

/// The longest time from one reading of the TSC to the next, the last of which is the handler's: the interrupt may be the
/// first thing that happens after a pause.
func longestGap(since start: UInt64) -> UInt64 {
  var last = start
  let deadline = last &+ patience.ticks
  var longest: UInt64 = 0
  while last < deadline {
    let now = tsc_read_in_order()
    let stamp = stamp_read()
    // The handler has run before this reading, and took time of its own.
    if stamp != 0, stamp < now { return max(longest, stamp &- last) }
    longest = max(longest, now &- last)
    if stamp != 0 { return max(longest, stamp &- now) }
    last = now
  }
  expect("the host interrupts a turn", false)
  finish(status: 1)
}
