import APIC
import GuestKit
import GuestMachine

@inline(__always) func writeRegister(_ register: LocalAPICRegister, _ value: UInt64) {
  if isX2APIC {
    msr_write(register.msr, value)
  } else {
    mmio_write32(APICBase.defaultAddress &+ UInt64(register.rawValue), UInt32(truncatingIfNeeded: value))
  }
}

func timeRegister(_ register: LocalAPICRegister, _ value: UInt64) {
  let msr = register.msr
  let address = APICBase.defaultAddress &+ UInt64(register.rawValue)
  if isX2APIC {
    time { msr_write(msr, value) }
  } else {
    time { mmio_write32(address, UInt32(truncatingIfNeeded: value)) }
  }
}

/// The handler leaves its interrupt in service, so that what ends it can be timed from outside.
func timeEOI() {
  let msr = LocalAPICRegister.endOfInterrupt.msr
  let address = APICBase.defaultAddress &+ UInt64(LocalAPICRegister.endOfInterrupt.rawValue)
  while !isDone {
    stamp_clear()
    localAPIC.send(.toSelf(vector))
    _ = awaitStamp()
    let start = tsc_read_in_order()
    if isX2APIC { msr_write(msr, 0) } else { mmio_write32(address, 0) }
    keep(from: start, to: tsc_read_in_order())
  }
}

func timeHalt() {
  while !isDone {
    interrupts.disable()
    stamp_clear()
    localAPIC.send(.toSelf(vector))
    let start = tsc_read_in_order()
    cpu_enable_and_halt()
    keep(from: start, to: awaitStamp())
    localAPIC.endOfInterrupt()
  }
}

func timeSelfIPI() {
  let command = InterruptCommand.toSelf(vector)
  let low = UInt64(command.xAPICLow)
  while !isDone {
    stamp_clear()
    let start = tsc_read_in_order()
    writeRegister(.interruptCommand, low)
    keep(from: start, to: awaitStamp())
    localAPIC.endOfInterrupt()
  }
}
