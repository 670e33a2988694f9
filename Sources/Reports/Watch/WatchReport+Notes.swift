import Watch

extension WatchReport {
  /// What could not be known, in words.
  static func notes(_ interval: WatchInterval, _ context: Context) -> [String] {
    var notes: [String] = []
    if interval.lost > 0 {
      notes.append("\(interval.lost) events were lost: they were too many to be read, and counts are too low")
    }
    if interval.ambiguous > 0 {
      notes.append(
        "\(interval.ambiguous) events were left out: they may be this machine's or another's that has a vCPU with the "
          + "same id")
    }
    if interval.exits == nil {
      notes.append(
        "nothing tells of exits, nor of whether a vCPU is in the guest: kvm_entry and kvm_exit were not seen, as with a "
          + "back end that has none")
    }
    // One of a vector may have been accepted before the interval.
    let unseen = interval.interrupts.reduce(UInt64(0)) { sum, row in
      let known = max(row.injected, row.ended)
      return known > row.accepted + 1 ? sum + known - row.accepted : sum
    }
    if unseen > 0, !context.recordsAllThreads {
      notes.append(
        "\(unseen) interrupts were accepted unseen, on other threads than those of the machine's process or by the hardware: "
          + "--all-threads records all threads")
    }
    let unknown = interval.machine.vcpus.filter { $0.thread == nil }
    if !unknown.isEmpty {
      notes.append(
        "which thread runs a vCPU is not known of \(Units.count(unknown.count, "vCPU")): it has not run yet, or the kernel does not say"
      )
    }
    if interval.machine.vcpus.contains(where: \.isThreadByName) {
      notes.append(
        "which thread runs which vCPU was told by the threads' names: this kernel has no vcpuN/pid in debugfs")
    }
    if interval.lacksLatencies {
      notes.append("there are more vectors on vCPUs than latencies are kept of: those seen first have them")
    }
    return notes
  }
}
