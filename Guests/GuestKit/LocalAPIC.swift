import APIC
import GuestContract
import GuestMachine

/// The driver of a processor's local APIC.
public struct LocalAPIC {
  /// Which way the registers are reached. All processors of a guest use the same.
  public private(set) var mode = APICMode.xAPIC

  /// Enables the local APIC, in the mode that the host asks for or the one given, with spurious vector 0xff.
  public mutating func enable(_ wanted: APICMode? = nil) {
    let mode = wanted ?? (bootPage.pointee.apicMode == .x2APIC ? .x2APIC : .xAPIC)
    self.mode = mode
    if mode == .x2APIC {
      var base = APICBase(rawValue: msr_read(MSR.apicBase))
      base.isEnabled = true
      base.isX2APIC = true
      msr_write(MSR.apicBase, base.rawValue)
    }
    self[.spurious] = SpuriousInterruptVectorRegister(vector: 0xff, isSoftwareEnabled: true).rawValue
  }

  /// Reaches the registers in that mode from now on, which somebody else has set.
  public mutating func use(_ mode: APICMode) { self.mode = mode }

  /// A register, read and written as the mode has it.
  public subscript(register: LocalAPICRegister) -> UInt32 {
    get {
      mode == .x2APIC
        ? UInt32(truncatingIfNeeded: msr_read(register.msr))
        : mmio_read32(APICBase.defaultAddress &+ UInt64(register.rawValue))
    }
    nonmutating set {
      if mode == .x2APIC {
        msr_write(register.msr, UInt64(newValue))
      } else {
        mmio_write32(APICBase.defaultAddress &+ UInt64(register.rawValue), newValue)
      }
    }
  }

  /// The APIC id, of 8 bits in xAPIC mode and 32 in x2APIC mode.
  public var id: UInt32 { mode == .x2APIC ? self[.id] : self[.id] >> 24 }

  /// Ends the service of the interrupt with the highest priority.
  public func endOfInterrupt() { self[.endOfInterrupt] = 0 }

  /// Sends an interprocessor interrupt. KVM has accepted it by the time the write is done.
  public func send(_ command: InterruptCommand) {
    if mode == .x2APIC {
      msr_write(LocalAPICRegister.interruptCommand.msr, command.rawValue)
    } else {
      self[.interruptCommandHigh] = command.xAPICHigh
      self[.interruptCommand] = command.xAPICLow
    }
  }

  /// Starts the timer: in one-shot and periodic mode after `interval` of bus cycles divided by 1, else at the TSC value.
  public func startTimer(_ vector: Vector, _ mode: TimerMode, after interval: Interval) {
    self[.lvtTimer] = LVTEntry.timer(vector, mode: mode).rawValue
    if mode == .tscDeadline {
      msr_write(MSR.tscDeadline, tsc_read() &+ interval.ticks)
    } else {
      self[.divide] = TimerDivide.by1.registerValue
      self[.initialCount] = interval.apicCycles
    }
  }

  /// Stops the timer, whatever its mode.
  public func stopTimer() {
    self[.initialCount] = 0
    self[.lvtTimer] = LVTEntry.timer(0xff, mode: .oneShot, isMasked: true).rawValue
  }
}

/// The local APIC of the processor that asks.
nonisolated(unsafe) public var localAPIC = LocalAPIC()
