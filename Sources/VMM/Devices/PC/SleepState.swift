import KVM

/// ACPI's sleep state S3 on the unit tests' PC: the vCPU that enters it stays in the VMM until the real-time clock's alarm
/// goes off, and then begins anew in real mode at the FACS's waking vector, as firmware would have it (ACPI specification,
/// sections 5.2.10 and 16.3).
///
/// Other vCPUs are left alone: a guest has to park them before.
struct SleepState: Sendable {
  /// The sleep type that PIIX4 has for S3.
  static let type: UInt16 = 1
  /// Where the FACS has the waking vector.
  private static let wakingVector: UInt64 = 12

  let vcpus: [VCPU]
  let memory: GuestMemory
  let clock: RealTimeClock
  let stop: StopSwitch

  /// Sleeps and wakes, on the vCPU's own thread; returns without having woken it where the machine is stopped.
  func enter(on vcpu: Int) {
    // The guest may have been stopped, or have no alarm: whoever stops the machine ends this wait too.
    while !stop.isStopped {
      let wait = clock.timeToAlarm
      if let wait, wait <= .zero { break }
      _ = stop.wait(atMost: wait ?? .seconds(1))
    }
    guard !stop.isStopped, vcpus.indices.contains(vcpu) else { return }
    do throws(KVMError) {
      let vector = (try? memory.load(UInt32.self, at: ACPITables.facs + Self.wakingVector)) ?? 0
      var state = try InitialState(of: vcpus[vcpu])
      state.reset()
      state.enterRealMode(at: UInt64(vector))
      try state.apply(to: vcpus[vcpu])
    } catch {
      stop.stop(.runFailed(error, vcpu: vcpu))
    }
  }
}
