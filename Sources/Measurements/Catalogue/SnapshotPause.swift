extension Measurement {
  /// How long a snapshot keeps its guest from running: a place for it, which is skipped and says so.
  static let snapshotPause = Measurement(
    "snapshot.pause", "The pause of a guest that a snapshot is taken of", .latency,
    span: "from the last instruction before the snapshot to the first after it",
    by: .nothing("this version of Lapwing takes no snapshots of running guests"))
}
