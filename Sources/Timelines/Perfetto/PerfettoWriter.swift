import APIC
import Evidence
import Support

/// A timeline as a trace of Perfetto's: a process a machine, a thread a vCPU with tracks below it.
struct PerfettoWriter: TimelineWriter {
  private typealias Event = PacketStream.Event

  /// How many bytes of a foreign text are written.
  private static let textLimit = 400

  private var stream = PacketStream()
  private var known: Set<UInt64> = []

  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8]) {
    let name = Escape.shown(machine.name, atMost: Self.textLimit)
    _ = track(PerfettoTrack(machine: number, vcpu: nil, kind: .machine(name: name)), &output)
    for vcpu in machine.vcpuIDs.indices { _ = track(PerfettoTrack(machine: number, vcpu: vcpu, kind: .vcpu), &output) }
  }

  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8]) {
    switch item {
    case .stay(let stay): add(stay, number, &output)
    case .occupancy(let occupancy):
      for (kind, count) in [
        (PerfettoTrack.Kind.requested, occupancy.requested), (.inService, occupancy.inService),
      ] {
        var event = self.event(
          .counter, on: PerfettoTrack(machine: number, vcpu: occupancy.vcpu, kind: kind), &output)
        event.counterValue = Int64(count)
        stream.write(event, at: occupancy.time, into: &output)
      }
    case .mark(let mark):
      let event = event(
        .instant, mark.text, on: PerfettoTrack(machine: number, vcpu: nil, kind: .inhibits), &output)
      stream.write(event, at: mark.time, into: &output)
    case .journey(let journey): add(journey, number, &output)
    }
  }

  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8]) {
    for note in notes {
      let event = event(
        .instant, Escape.shown(note, atMost: Self.textLimit),
        on: PerfettoTrack(machine: number, vcpu: nil, kind: .inhibits), &output)
      stream.write(event, at: 0, into: &output)
    }
  }

  mutating func finish(into output: inout [UInt8]) {}

  private mutating func add(_ stay: TimelineStay, _ number: Int, _ output: inout [UInt8]) {
    let (name, kind): (String, PerfettoTrack.Kind) =
      switch stay.place {
      case .guest: ("in guest", .vcpu)
      case .outside(let exit): (exit, .vcpu)
      case .halted(let slept): (slept ? "halted" : "halted, polled for", .halted)
      }
    let track = PerfettoTrack(machine: number, vcpu: stay.vcpu, kind: kind)
    slice(name, stay.start..<max(stay.start, stay.end), track, &output)
  }

  private mutating func add(_ journey: TimelineJourney, _ number: Int, _ output: inout [UInt8]) {
    let vcpu = journey.journey.vcpu
    let vector = journey.journey.vector
    let flow = UInt64(number) << 40 | UInt64(journey.number)
    let facts = facts(of: journey)
    if let start = journey.journey.accepted ?? journey.journey.posted {
      // What a local APIC raises itself, its timer above all, is a mark by that name.
      var name = "\(journey.name) to vCPU \(vcpu)"
      if case .localAPIC = journey.journey.source { name = "\(journey.origin) \(journey.name)" }
      var source = event(.instant, name, on: self.source(of: journey, number), &output)
      source.flowIds = [flow]
      stream.write(source, at: start, into: &output)
    }
    let waiting = PerfettoTrack(machine: number, vcpu: vcpu, kind: .waiting(vector))
    if let wait = journey.wait {
      slice("\(journey.name) from \(journey.origin)", wait, waiting, &output, facts, flow: flow)
    } else if let start = journey.start, journey.delivered == nil {
      var event = event(.instant, "\(journey.name) from \(journey.origin)", on: waiting, &output)
      event.debugAnnotations = facts
      event.flowIds = [flow]
      stream.write(event, at: start, into: &output)
    }
    let handlers = PerfettoTrack(machine: number, vcpu: vcpu, kind: .handlers)
    if let service = journey.service {
      slice(journey.name, service, handlers, &output, facts, flow: flow)
    } else if let delivered = journey.delivered {
      var event = event(.instant, "\(journey.name) taken, its EOI not seen", on: handlers, &output)
      event.debugAnnotations = facts
      event.terminatingFlowIds = [flow]
      stream.write(event, at: delivered, into: &output)
    }
    if let ended = journey.journey.ended {
      var event = event(.instant, "EOI \(journey.name)", on: handlers, &output)
      event.terminatingFlowIds = [flow]
      stream.write(event, at: ended, into: &output)
    }
  }

  private func source(of journey: TimelineJourney, _ number: Int) -> PerfettoTrack {
    switch journey.journey.source {
    case .ipi(let sender?): PerfettoTrack(machine: number, vcpu: sender, kind: .sent)
    case .localAPIC: PerfettoTrack(machine: number, vcpu: journey.journey.vcpu, kind: .localAPIC)
    case .message: PerfettoTrack(machine: number, vcpu: nil, kind: .messages)
    case .line, .heldLine: PerfettoTrack(machine: number, vcpu: nil, kind: .lines)
    case .ipi(nil), nil: PerfettoTrack(machine: number, vcpu: nil, kind: .unknownSources)
    }
  }

  private mutating func facts(of journey: TimelineJourney) -> [PacketStream.Annotation] {
    var facts = [
      stream.annotation("journey", Int64(journey.number)),
      stream.annotation("vector", Int64(journey.journey.vector.rawValue)),
      stream.annotation("from", journey.origin), stream.annotation("way", journey.way),
      stream.annotation("coalesced", Int64(journey.journey.coalesced)),
    ]
    if let exit = journey.exit { facts.append(stream.annotation("exit", exit)) }
    for (name, time) in journey.moments { facts.append(stream.annotation("\(name), ns", time)) }
    return facts
  }

  private mutating func slice(
    _ name: String, _ span: Range<Int64>, _ track: PerfettoTrack, _ output: inout [UInt8],
    _ facts: [PacketStream.Annotation] = [], flow: UInt64? = nil
  ) {
    var begin = event(.sliceBegin, name, on: track, &output)
    begin.debugAnnotations = facts
    begin.flowIds = flow.map { [$0] } ?? []
    stream.write(begin, at: span.lowerBound, into: &output)
    stream.write(event(.sliceEnd, on: track, &output), at: span.upperBound, into: &output)
  }

  private mutating func event(
    _ type: Lapwing_Perfetto_TrackEvent.TypeEnum, _ name: String? = nil, on track: PerfettoTrack,
    _ output: inout [UInt8]
  ) -> Event {
    var event = Event()
    event.type = type
    event.trackUuid = self.track(track, &output)
    if let name { stream.name(&event, name) }
    return event
  }

  /// A track's number. It is described before it is used for the first time, and what it is below before that.
  private mutating func track(_ track: PerfettoTrack, _ output: inout [UInt8]) -> UInt64 {
    let uuid = track.uuid
    guard known.insert(uuid).inserted else { return uuid }
    if let parent = track.parent { _ = self.track(parent, &output) }
    stream.write(track.descriptor, into: &output)
    return uuid
  }
}
