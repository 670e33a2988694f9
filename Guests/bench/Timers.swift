import APIC
import GuestKit
import GuestMachine

let period = Interval.microseconds(1000)
/// A periodic timer is set anew after so many periods, before the TSC and the host's clock have drifted apart.
let periods = 16

func timeCount() {
  localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .oneShot).rawValue
  localAPIC[.divide] = TimerDivide.by1.registerValue
  while !isDone {
    interrupts.disable()
    stamp_clear()
    let start = tsc_read_in_order()
    writeRegister(.initialCount, UInt64(period.apicCycles))
    waitForStamp()
    keep(from: start &+ period.ticks, to: stamp_read())
    localAPIC.endOfInterrupt()
  }
}

func timeDeadline() {
  localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .tscDeadline).rawValue
  while !isDone {
    interrupts.disable()
    stamp_clear()
    let deadline = tsc_read() &+ period.ticks
    msr_write(MSR.tscDeadline, deadline)
    waitForStamp()
    keep(from: deadline, to: stamp_read())
    localAPIC.endOfInterrupt()
  }
}

/// The interrupts of periods that have passed while one waited are one interrupt: the next that is due is that of the
/// first period after it.
func timePeriods() {
  localAPIC[.divide] = TimerDivide.by1.registerValue
  while !isDone {
    localAPIC[.lvtTimer] = LVTEntry.timer(vector, mode: .periodic).rawValue
    interrupts.disable()
    stamp_clear()
    var due = tsc_read_in_order()
    writeRegister(.initialCount, UInt64(period.apicCycles))
    for _ in 0..<periods where !isDone {
      due &+= period.ticks
      waitForStamp()
      let time = stamp_read()
      defer { while due &+ period.ticks <= time { due &+= period.ticks } }
      interrupts.disable()
      stamp_clear()
      localAPIC.endOfInterrupt()
      keep(from: due, to: time)
    }
    localAPIC.stopTimer()
    // One more may have been on its way.
    interrupts.enable()
    pause(for: settling)
    if stamp_read() != 0 { localAPIC.endOfInterrupt() }
  }
}
