import APIC
public import Evidence

/// The timeline of one machine, made of its events as they come and of its interrupts' journeys as they are known.
///
/// What it keeps does not grow with the events: where each vCPU is, and what waits there.
public struct MachineTimeline: ~Copyable {
  private let file: TimelineFile
  private let number: Int
  private var outline: TimelineOutline
  private let exitNames: ExitNames
  private var vcpus: [VCPUProgress] = []
  private var journeys = 0
  private var hasEntries = false
  private var hasPosts = false
  private var last: Int64 = 0
  private let notes: [String]

  init(_ machine: TimelineMachine, number: Int, exitNames: ExitNames, file: TimelineFile) {
    self.file = file
    self.number = number
    self.exitNames = exitNames
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
      with(outline.index(ofID: id, on: event.thread)) { $0.enter(time) }
    case .exited(let reason):
      // A name is looked up where it is needed: there may be hundreds of thousands a second.
      with(outline.index(of: event.thread)) { $0.leave(time, reason) }
    case .accepted(let id, let vector, .fixed?), .accepted(let id, let vector, .lowestPriority?):
      with(outline.index(ofID: id)) { $0.accept(vector, time) }
    case .acceptedByHardware(let id, let vector, _):
      hasPosts = true
      with(outline.index(ofID: id)) { $0.post(vector, time) }
    case .injected(let vector, isReinjected: false):
      with(outline.index(of: event.thread)) { $0.inject(vector, time) }
    case .endOfInterrupt(let id, let vector?):
      with(outline.index(ofID: id, on: event.thread)) { $0.end(vector, time) }
    case .wokenUp(let slept, let length):
      let start = time - Int64(clamping: min(length, UInt64(max(time, 0))))
      if let vcpu = outline.index(of: event.thread) {
        file.add(.stay(TimelineStay(vcpu: vcpu, place: .halted(slept: slept), start: start, end: time)), of: number)
      }
    case .inhibit(let isSet, let reason, let inhibits):
      let text =
        "APICv: inhibit \(reason) \(isSet ? "set" : "lifted"); "
        + (inhibits == 0 ? "none is in force" : "in force: 0x\(String(inhibits, radix: 16))")
      file.add(.mark(TimelineMark(time: time, text: text)), of: number)
    default: break
    }
  }

  /// Takes a journey, in any order: the more of them are over, the better.
  ///
  /// - Parameter journey: its times count from when recording began.
  public mutating func take(_ journey: InterruptJourney) {
    journeys += 1
    let exit = journey.exit.map { exitNames[$0] }
    file.add(.journey(TimelineJourney(number: journeys, journey: journey, exit: exit)), of: number)
  }

  /// Ends it. Where vCPUs are then, they are to the end.
  ///
  /// - Parameters:
  ///   - lost: how many events were lost.
  ///   - absent: what would have been recorded if the kernel had it.
  public consuming func finish(lost: UInt64, absent: [String]) {
    for index in vcpus.indices {
      vcpus[index].finish(last)
      flush(index)
    }
    var notes = notes
    if !hasEntries {
      notes.append("No kvm_entry and kvm_exit came, so it does not show when vCPUs were in the guest, nor their exits.")
    }
    if hasPosts {
      notes.append(
        "IRR and ISR leave out what was set in the posted-interrupt descriptor: the processor takes it without KVM.")
    }
    if lost > 0 { notes.append("The trace lost \(lost) events; what they would have shown is missing.") }
    if !absent.isEmpty { notes.append("This kernel has no \(absent.joined(separator: ", ")).") }
    file.end(number, notes: notes)
  }

  private mutating func with(_ index: Int?, _ body: (inout VCPUProgress) -> Void) {
    guard let index else { return }
    while vcpus.count <= index { vcpus.append(VCPUProgress()) }
    body(&vcpus[index])
    flush(index)
  }

  private mutating func flush(_ index: Int) {
    if let stay = vcpus[index].takeStay() {
      let place: TimelineStay.Place = stay.exit.map { .outside(exit: exitNames[$0]) } ?? .guest
      file.add(.stay(TimelineStay(vcpu: index, place: place, start: stay.start, end: stay.end)), of: number)
    }
    guard let (time, requested, inService) = vcpus[index].takeOccupancy() else { return }
    file.add(
      .occupancy(TimelineOccupancy(vcpu: index, time: time, requested: requested, inService: inService)), of: number)
  }
}
