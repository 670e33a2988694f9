import APIC
import Evidence
public import Support
import Watch

extension WatchReport {
  /// The report for a person.
  ///
  /// - Parameters:
  ///   - style: plain or with colour.
  ///   - rows: how many lines there is room for; nil for all.
  public func lines(_ style: Style = Style(), rows: Int? = nil) -> [TextLine] {
    var lines = [headline(style), apicvLine(style)]
    lines += inhibitLines(style)
    let (tail, exits) = (haltLines() + noteLines(style), exitTable(style))
    // A view of few lines is the interrupts' first.
    let room = rows.map { max(6, $0 - lines.count - tail.count - 2) }
    let exitRoom = room.map { min(exits.count, max(4, $0 / 3)) }
    lines += [""] + cut(interruptTable(style), to: room.map { $0 - (exitRoom ?? 0) })
    if !exits.isEmpty { lines += [""] + cut(exits, to: exitRoom.map { $0 - 1 }) }
    return lines + tail
  }

  private func rate(_ count: UInt64) -> String {
    let rate = length > 0 ? Double(count) * 1e9 / Double(length) : 0
    return Units.fixed(rate, digits: rate < 9.95 && rate > 0 ? 1 : 0)
  }

  private func cut(_ lines: [TextLine], to room: Int?) -> [TextLine] {
    guard let room, lines.count > max(room, 3) else { return lines }
    let kept = max(room, 3) - 1
    return lines.prefix(kept) + ["  and \(lines.count - kept) more"]
  }

  private func headline(_ style: Style) -> TextLine {
    var line = style.bold("\(program ?? "a process that cannot be seen")") + "  \(process)/\(descriptor)"
    line += ", \(Units.count(vcpus.count, "vCPU")), \(Units.time(length)): "
    line += "\(rate(accepted)) interrupts/s"
    if let exitCount { line += ", \(rate(exitCount)) exits/s" }
    if let interruptExits, let exitCount, exitCount > 0 {
      line +=
        ", \(Units.fixed(Double(interruptExits) / Double(exitCount) * 100, digits: 0)) % of them the interrupts' doing"
    }
    if let exitsPerInterrupt { line += ", \(Units.fixed(exitsPerInterrupt, digits: 2)) for each" }
    return line
  }

  private func apicvLine(_ style: Style) -> TextLine {
    let state =
      switch apicv.state {
      case .active: style.green("active")
      case .inhibited: style.red("inhibited")
      case .unavailable: style.yellow("not on this host")
      case .unknown: style.yellow("not known")
      }
    return "APICv  \(state): \(apicv.basis)"
  }

  private func inhibitLines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = []
    func explain(_ inhibit: APICvReport.Inhibit) {
      if let cause = inhibit.cause { lines.append("         usually because \(cause)") }
      if let remedy = inhibit.remedy { lines.append("         what to do: \(remedy)") }
    }
    for inhibit in apicv.inForce ?? [] {
      lines.append("  \(style.red("\(inhibit.title)")) holds")
      explain(inhibit)
    }
    var explained = Set(apicv.inForce ?? [])
    for change in apicv.changes.prefix(8) {
      lines.append("  \(change.inhibit.title) \(change.isSet ? "set" : "taken back") at \(Units.time(change.time))")
      if explained.insert(change.inhibit).inserted { explain(change.inhibit) }
    }
    let shown = min(8, apicv.changes.count)
    if apicv.changeCount > shown { lines.append("  and \(apicv.changeCount - UInt64(shown)) more changes") }
    return lines
  }

  private func interruptTable(_ style: Style) -> [TextLine] {
    let interrupts = interrupts.filter { $0.total + $0.ended > 0 }
    guard !interrupts.isEmpty else { return ["  no interrupt was seen"] }
    let hasPosts = interrupts.contains { $0.posted > 0 }
    var table = Table()
    var titles = ["vector", "vCPU", "per s", "coalesced", "from", "way"]
    if hasPosts { titles.insert("posted/s", at: 4) }
    let hasInjection = interrupts.contains { $0.injectionLatency != nil }
    let hasWakeUp = interrupts.contains { $0.wakeUpLatency != nil }
    if hasInjection { titles.append("to injection p50/p99/max") }
    if hasWakeUp { titles.append("to wake-up p50/p99/max") }
    table.add(titles.lines)
    for row in interrupts {
      var cells = [
        hex(row.vector, digits: 2), "\(row.vcpu)", rate(row.total), rate(row.coalesced), row.origin, row.way,
      ]
      if hasPosts { cells.insert(rate(row.posted), at: 4) }
      if hasInjection { cells.append(row.injectionLatency?.cell ?? "") }
      if hasWakeUp { cells.append(row.wakeUpLatency?.cell ?? "") }
      table.add(cells.lines)
    }
    return table.lines()
  }

  private func exitTable(_ style: Style) -> [TextLine] {
    guard let exits, !exits.isEmpty else { return [] }
    var table = Table()
    table.add(["exit", "per s", "share", "interrupts"])
    let all = Double(max(1, exitCount ?? 1))
    for exit in exits {
      let share = "\(Units.fixed(Double(exit.count) / all * 100, digits: 1)) %"
      table.add([exit.reason, rate(exit.count), share, exit.doing.map { "yes: \($0)" } ?? ""].lines)
    }
    if let x2APICWrites, x2APICWrites > 0 {
      let share = "\(Units.fixed(Double(x2APICWrites) / all * 100, digits: 1)) %"
      table.add(["of MSR_WRITE, x2APIC", rate(x2APICWrites), share, "yes: register write"].lines)
    }
    return table.lines()
  }

  private func haltLines() -> [TextLine] {
    var lines: [TextLine] = []
    if halts.polled + halts.slept > 0 {
      lines += [
        "",
        "halts  \(rate(halts.polled))/s ended while KVM polled (\(Units.span(Int64(clamping: halts.pollTime))) in all), "
          + "\(rate(halts.slept))/s after sleep (\(Units.span(Int64(clamping: halts.sleepTime))))",
      ]
    }
    let rows = [("PIN", notifications.posted), ("NPI", notifications.nested), ("PIW", notifications.wakeups)]
    let grown = rows.compactMap { name, count in count.map { "\(name) \(rate($0))/s" } }
    if !grown.isEmpty {
      lines.append("the host's posted-interrupt vectors, of all machines: \(grown.joined(separator: ", "))")
    }
    return lines
  }

  private func noteLines(_ style: Style) -> [TextLine] { notes.map { style.yellow("note: ") + "\($0)" } }
}

extension APICvReport.Inhibit {
  /// Its name, or its number.
  var title: String { name ?? "reason \(number), which is not known here" }
}

extension WatchedInterrupt {
  /// What they came from, the most frequent first.
  var origin: String {
    guard let first = sources.first else { return accepted == 0 ? "" : "not seen" }
    let others = sources.count - 1
    return first.words + (others > 0 ? " and \(others) more" : "")
  }

  /// How they got there.
  var way: String {
    let known = ways.named
    let all = ways.software + ways.virtualDelivery + ways.posted + ways.ended + ways.unknown
    guard let first = known.first else {
      if concludedWay == .software { return "injected (concluded)" }
      return ways.ended > 0 ? "delivered, not known how" : "not known"
    }
    guard first.count < all else { return first.name }
    return known.map { "\($0.name) \(Units.fixed(Double($0.count) / Double(all) * 100, digits: 0)) %" }.joined(
      separator: ", ")
  }
}

extension WatchedInterrupt.Ways {
  /// The ways that are known by their names, the most frequent first.
  var named: [(name: String, count: UInt64)] {
    let all: [(name: String, count: UInt64)] = [
      ("injected", software), ("virtual-interrupt delivery", virtualDelivery), ("posted", posted),
    ]
    return all.filter { $0.count > 0 }.sorted { $0.count > $1.count }
  }
}

extension WatchedInterrupt.Source {
  var words: String {
    switch source {
    case .ipi: sender.map { "IPI of vCPU \($0)" } ?? "IPI"
    case .message: "message"
    case .line: "line \(gsi ?? 0)"
    case .heldLine: "pin \(pin ?? 0), still high"
    case .localAPIC: "local APIC"
    case nil: "not seen"
    }
  }
}

extension WatchedInterrupt.Latency {
  var cell: String { [median, p99, longest].map { Units.shortTime(Double($0)) }.joined(separator: " / ") }
}

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
