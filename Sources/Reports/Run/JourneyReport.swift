import APIC
public import Evidence
import Support

/// The way of one interrupt, for a report. Times are nanoseconds since the program started; what was not seen is absent.
public struct JourneyReport: Codable, Sendable {
  /// The vector, 16 to 255.
  public var vector: UInt8
  /// The vCPU that it was for.
  public var vcpu: Int
  /// Where it came from.
  public var source: Source?
  /// The vCPU that sent an IPI.
  public var sender: Int?
  /// The GSI of a line.
  public var gsi: UInt32?
  /// The IOAPIC's pin of a line that was still high.
  public var pin: Int?
  /// The entry of the local vector table that had its vector in the end, such as `timer`.
  public var entry: String?
  /// Its local APIC accepted it.
  public var accepted: Int64?
  /// How many more were accepted that are one with it.
  public var coalesced: Int
  /// It was set in the posted-interrupt descriptor.
  public var posted: Int64?
  /// Its vCPU, which was halted, went on.
  public var wokenUp: Int64?
  /// Software injected it at VM entry.
  public var injected: Int64?
  /// The guest's handler wrote it down.
  public var taken: Int64?
  /// KVM saw the end of its service.
  public var ended: Int64?
  /// Whether its vCPU stayed in the guest from acceptance to handler; absent where entries and exits do not tell.
  public var stayedInGuest: Bool?
  /// Why its vCPU left the guest between acceptance and handler, as KVM names the exit.
  public var exit: String?
  /// How it got into the guest.
  public var path: DeliveryPath?
  /// Whether the path is concluded: from a counter, or from where its vCPU was; otherwise events of this interrupt show it.
  public var isPathConcluded: Bool?

  /// Where an interrupt comes from, each with its word in a document.
  public enum Source: String, Codable, Hashable, Sendable {
    /// A local APIC's interrupt command.
    case ipi
    /// An MSI.
    case message
    /// A line that was raised.
    case line
    /// A line that was still high when its interrupt ended.
    case heldLine = "held-line"
    /// An entry of the local vector table, such as the timer.
    case localAPIC = "local-apic"
  }
}

extension JourneyReport {
  /// - Parameters:
  ///   - journey: the journey.
  ///   - exit: the kernel's name of its exit.
  ///   - start: what its times count from, in nanoseconds since the program started.
  init(_ journey: InterruptJourney, exit: String?, from start: Int64) {
    func time(_ moment: Int64) -> Int64 { start &+ moment }
    self.init(
      vector: journey.vector.rawValue, vcpu: journey.vcpu, accepted: journey.accepted.map(time),
      coalesced: journey.coalesced, posted: journey.posted.map(time), wokenUp: journey.wokenUp.map(time),
      injected: journey.injected.map(time), taken: journey.taken.map(time), ended: journey.ended.map(time),
      stayedInGuest: journey.stayedInGuest, exit: exit, path: journey.path,
      isPathConcluded: journey.path.map { _ in journey.isPathConcluded })
    switch journey.source {
    case .ipi(let vcpu):
      source = .ipi
      sender = vcpu
    case .message: source = .message
    case .line(let gsi):
      source = .line
      self.gsi = gsi
    case .heldLine(let pin):
      source = .heldLine
      self.pin = pin
    case .localAPIC(let entry):
      source = .localAPIC
      self.entry = entry.map { "\($0)" }
    case nil: break
    }
  }
}

extension RunReport.TraceReport {
  /// What a recorder recorded.
  ///
  /// - Parameters:
  ///   - result: that.
  ///   - programStart: the moment that times are counted from.
  init(_ result: JourneyRecorder.Result, programStart: ContinuousClock.Instant) {
    let start = Int64((result.start - programStart) / .nanoseconds(1))
    journeys = result.journeys.map { journey in
      JourneyReport(journey, exit: journey.exit.map { result.exitNames[$0] }, from: start)
    }
    lostEvents = result.lostEvents
    unknownEvents = result.unknownEvents
    absentEvents = result.absentEvents
  }
}

extension RunReport.TraceReport {
  /// How many journeys a person is shown; a document has all.
  private static let shown = 100

  /// A line an interrupt: when it was accepted, and how long after that everything else was.
  func lines(_ style: Style) -> [TextLine] {
    let columns = Column.all.filter { column in column.isAlwaysShown || journeys.contains { column.cell($0) != "" } }
    var table = Table()
    table.add(columns.map(\.title).lines)
    for journey in journeys.prefix(Self.shown) { table.add(columns.map { $0.cell(journey) }.lines) }
    var lines: [TextLine] = journeys.isEmpty ? ["  no interrupt was seen"] : table.lines()
    if journeys.count > Self.shown {
      lines.append("  and \(journeys.count - Self.shown) more, which --format json has")
    }
    if lostEvents > 0 {
      lines.append(style.yellow("note: ") + "the trace lost \(lostEvents) events: they were too many")
    }
    if unknownEvents > 0 {
      lines.append(style.yellow("note: ") + "the trace has \(unknownEvents) events that mean nothing here")
    }
    if !absentEvents.isEmpty {
      lines.append(style.yellow("note: ") + "this kernel has no \(absentEvents.joined(separator: ", "))")
    }
    return lines
  }

  /// A column of that table. One in which nothing would stand is left out.
  private struct Column: Sendable {
    let title: String
    var isAlwaysShown = false
    let cell: @Sendable (JourneyReport) -> String

    static let all = [
      Column(title: "vector", isAlwaysShown: true) { hex($0.vector, digits: 2) },
      Column(title: "vCPU", isAlwaysShown: true) { "\($0.vcpu)" },
      Column(title: "from", isAlwaysShown: true) { $0.origin },
      Column(title: "accepted", isAlwaysShown: true) { $0.cell(\.accepted) },
      Column(title: "posted") { $0.cell(\.posted) },
      Column(title: "woken") { $0.cell(\.wokenUp) },
      Column(title: "injected") { $0.cell(\.injected) },
      Column(title: "taken") { $0.cell(\.taken) },
      Column(title: "EOI") { $0.cell(\.ended) },
      Column(title: "way", isAlwaysShown: true) { $0.way },
    ]
  }
}

extension JourneyReport {
  /// What it came from, in words.
  fileprivate var origin: String {
    let words =
      switch source {
      case .ipi: sender.map { $0 == vcpu ? "itself" : "vCPU \($0)" } ?? "an IPI"
      case .message: "a message"
      case .line: "line \(gsi ?? 0)"
      case .heldLine: "pin \(pin ?? 0), still high"
      case .localAPIC: entry.map { $0 == "timer" ? "local timer" : "local APIC, \($0)" } ?? "local APIC"
      case nil: "not seen"
      }
    return coalesced == 0 ? words : "\(words), \(coalesced + 1) in one"
  }

  /// A moment: how long after the first that was seen; of that itself, when it was. Empty where it was not seen.
  fileprivate func cell(_ moment: KeyPath<JourneyReport, Int64?>) -> String {
    let order = [\JourneyReport.accepted, \.posted, \.injected, \.taken, \.ended, \.wokenUp]
    guard let time = self[keyPath: moment], let first = order.first(where: { self[keyPath: $0] != nil }),
      let start = self[keyPath: first]
    else { return "" }
    guard first != moment else { return Units.time(time) }
    let nanoseconds = Double(time - start)
    return (nanoseconds < 0 ? "" : "+") + Units.shortTime(nanoseconds)
  }
}

extension JourneyReport {
  /// How it got there, for a person: what the hardware delivered was posted into the running guest, or delivered at an entry.
  fileprivate var way: String {
    let words =
      switch (path, stayedInGuest) {
      case (nil, _): "not seen"
      case (.posted?, _): "posted into the running guest"
      case (.virtualDelivery?, false?):
        "virtual-interrupt delivery at entry" + (exit.map { ", after \($0)" } ?? "")
      case (let path?, _): path.rawValue
      }
    return isPathConcluded == true ? words + " (concluded)" : words
  }
}
