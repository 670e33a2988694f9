import APIC
public import Evidence

/// The timeline of one machine, made of its events as they come and of its interrupts' journeys as they are known.
///
/// What it keeps does not grow with the events: where each vCPU is, and a bounded number of moments.
public struct MachineTimeline: ~Copyable {
  private let file: TimelineFile
  private let number: Int
  private var outline: TimelineOutline
  private let exitNames: ExitNames
  private let inhibitNames: InhibitNames
  private var vcpus: [Int: VCPUWhereabouts] = [:]
  private var occupancy = OccupancyCounter()
  private var journeys = 0
  private var hasEntries = false
  private var hasUnknownWaits = false
  private var last: Int64 = 0
  private let notes: [String]

  init(
    _ machine: TimelineMachine, number: Int, exitNames: ExitNames, inhibitNames: InhibitNames, file: TimelineFile
  ) {
    self.file = file
    self.number = number
    self.exitNames = exitNames
    self.inhibitNames = inhibitNames
    notes = machine.notes
    outline = TimelineOutline(machine)
  }

  /// Learns which threads run the vCPUs; what came of a thread before that stays without a vCPU.
  ///
  /// - Parameter threads: the kernel's ids, by the vCPU's index; 0 for one that is not known.
  public mutating func know(threads: [Int32]) { outline.know(threads.map { [$0] }) }

  /// Takes the next event.
  ///
  /// - Parameters:
  ///   - event: in the order of time.
  ///   - time: when it was, in nanoseconds since recording began.
  public mutating func take(_ event: TraceEvent, at time: Int64) {
    last = max(last, time)
    switch event.detail {
    case .entered(let id):
      hasEntries = true
      guard let vcpu = outline.index(ofID: id, on: event.thread) else { return }
      add(vcpus[vcpu, default: VCPUWhereabouts()].enter(time), vcpu)
    case .exited(let reason):
      guard let vcpu = outline.index(of: event.thread) else { return }
      add(vcpus[vcpu, default: VCPUWhereabouts()].leave(time, reason), vcpu)
    case .wokenUp(let slept, let length):
      let start = time - Int64(clamping: min(length, UInt64(max(time, 0))))
      if let vcpu = outline.index(of: event.thread) {
        file.add(.stay(TimelineStay(vcpu: vcpu, place: .halted(slept: slept), start: start, end: time)), of: number)
      }
    case .inhibit(let isSet, let reason, let inhibits):
      file.add(.mark(TimelineMark(time, inhibit: reason, isSet, inForce: inhibits, inhibitNames)), of: number)
    default: break
    }
  }

  /// Takes a journey, in any order: the more of them are over, the better.
  ///
  /// - Parameter journey: its times count from when recording began.
  public mutating func take(_ journey: InterruptJourney) {
    journeys += 1
    let exit = journey.exit.map { exitNames[$0] }
    let shown = TimelineJourney(number: journeys, journey: journey, exit: exit)
    file.add(.journey(shown), of: number)
    occupancy.take(shown) { [file, number] in file.add(.occupancy($0), of: number) }
    if journey.accepted != nil, shown.delivered == nil { hasUnknownWaits = true }
  }

  /// Takes the next event of a trace that is followed while it comes.
  ///
  /// - Parameters:
  ///   - event: in the order of time.
  ///   - clock: that of the trace.
  package mutating func take(_ event: TraceEvent, _ clock: TraceClock) {
    take(event, at: clock.nanoseconds(event.time))
  }

  /// Takes a journey of such a trace.
  ///
  /// - Parameters:
  ///   - tracked: the journey.
  ///   - clock: that of the trace.
  package mutating func take(_ tracked: TrackedJourney, _ clock: TraceClock) {
    take(InterruptJourney(tracked, clock))
  }

  /// Ends it, once: nothing comes after that. Where vCPUs are then, they are to the end.
  ///
  /// - Parameters:
  ///   - lost: how many events were lost, or were more than are kept to find journeys in.
  ///   - absent: what would have been recorded if the kernel had it.
  public mutating func finish(lost: UInt64, absent: [String]) {
    for vcpu in vcpus.keys.sorted() { add(vcpus[vcpu]?.finish(last), vcpu) }
    occupancy.finish { [file, number] in file.add(.occupancy($0), of: number) }
    var notes = notes
    if !hasEntries {
      notes.append("No kvm_entry and kvm_exit came, so it does not show when vCPUs were in the guest, nor their exits.")
    }
    if hasUnknownWaits {
      notes.append("IRR and ISR leave out interrupts of which nothing tells when they were delivered.")
    }
    if lost > 0 {
      notes.append("\(lost) events were lost, or more than are kept: what they would have shown may be missing.")
    }
    if !absent.isEmpty { notes.append("This kernel has no \(absent.joined(separator: ", ")).") }
    file.end(number, notes: notes)
  }

  private func add(_ stay: VCPUWhereabouts.Stay?, _ vcpu: Int) {
    guard let stay else { return }
    let place: TimelineStay.Place = stay.exit.map { .outside(exit: exitNames[$0]) } ?? .guest
    file.add(.stay(TimelineStay(vcpu: vcpu, place: place, start: stay.start, end: stay.end)), of: number)
  }
}
