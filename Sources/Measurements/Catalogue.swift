extension Measurement {
  /// Everything that `lapwing bench` measures, in the order in which it is reported. A new measurement is a file below and
  /// its name here.
  public static let catalogue: [Measurement] = [
    nothing, portExits, memoryExits, msrExits, [cpuidExit], [haltExit], [endOfInterrupt], taskPriority,
    [selfIPI], ipis, signalledMSIs, irqfds, ioEvents, oneShotTimer, periodicTimer, deadlineTimer, [snapshotPause],
  ].flatMap(\.self)
}
