import KVM

extension Measurement {
  /// Everything that `lapwing bench` measures, in the order in which it is reported. A new measurement is a value in
  /// Exits.swift or Interrupts.swift, and its name here.
  public static let catalogue: [Measurement] = [
    nothing, portExits, memoryExits, msrExits, [cpuidExit], [haltExit], [endOfInterrupt], taskPriority,
    [selfIPI], ipis, signalledMSIs, irqfds, ioEvents, oneShotTimer, periodicTimer, deadlineTimer, [snapshotPause],
  ].flatMap(\.self)
}

extension Measurement {
  /// How long a snapshot keeps its guest from running, as the guest sees it.
  static let snapshotPause = Measurement(
    "snapshot.pause", "The pause of a guest that a snapshot is taken of", .latency,
    span: "from the last reading of the TSC before the snapshot to the first after it",
    stimulus: "takes a snapshot, state and memory, while the guest runs", needs: [.signalMSI],
    by: .snapshots(vcpus: 1))
}
