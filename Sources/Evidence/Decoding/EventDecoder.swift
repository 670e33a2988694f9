import APIC

/// Reads the events of a kernel's ring buffer, by its own formats.
struct EventDecoder: Sendable {
  /// The layout of its pages.
  let page: PageFormat
  /// Its names of exits. They are read when they are asked for: a trace instance is made without.
  var exitNames: ExitNames { ExitNames(PrintedNames.all(in: exitFormat)) }
  /// The tracepoints that can be read.
  let readable: [Tracepoint]
  /// Why others, which the kernel has, cannot be.
  let obstacles: [EventLayout.Missing]

  /// Its names of inhibits.
  var inhibitNames: InhibitNames { InhibitNames(printFormat: inhibitFormat) }

  private let exitFormat: String
  private let inhibitFormat: String
  private let layouts: [EventLayout?]
  private let typeField: EventField
  private let threadField: EventField

  /// A decoder by formats.
  ///
  /// - Parameters:
  ///   - page: the layout of pages.
  ///   - formats: those of the tracepoints that the kernel has; others are left alone.
  /// - Returns: nil where no format says which event one is and on which thread it was.
  init?(page: PageFormat, formats: [EventFormat]) {
    self.page = page
    var layouts: [EventLayout?] = []
    var readable: [Tracepoint] = []
    var obstacles: [EventLayout.Missing] = []
    for format in formats {
      guard let tracepoint = Tracepoint(rawValue: format.name) else { continue }
      do throws(EventLayout.Missing) {
        let layout = try EventLayout(tracepoint, format)
        while layouts.count <= Int(format.id) { layouts.append(nil) }
        layouts[Int(format.id)] = layout
        readable.append(tracepoint)
      } catch {
        obstacles.append(error)
      }
    }
    guard let common = formats.first(where: { $0.fields["common_type"] != nil })?.fields,
      let type = common["common_type"], let thread = common["common_pid"]
    else { return nil }
    typeField = type
    threadField = thread
    inhibitFormat = formats.first { $0.name == Tracepoint.inhibit.rawValue }?.printFormat ?? ""
    exitFormat = formats.first { $0.name == Tracepoint.exit.rawValue }?.printFormat ?? ""
    self.layouts = layouts
    self.readable = readable
    self.obstacles = obstacles
  }

  /// What a page says, besides its events.
  struct Summary: Hashable {
    /// How many events were lost before it.
    var lost: UInt64 = 0
    /// How many events mean nothing here, a damaged rest of the page being one.
    var unknown = 0
  }

  /// Decodes a page.
  ///
  /// - Parameters:
  ///   - bytes: the page as it was read; it may be damaged in any way.
  ///   - events: what its events are added to, in their order.
  func decode(_ bytes: RawSpan, into events: inout [TraceEvent]) -> Summary {
    var unknown = 0
    let walked = page.walk(bytes) { time, payload in
      guard typeField.end <= payload.count, threadField.end <= payload.count else {
        unknown += 1
        return
      }
      let type = Int(typeField.load(bytes, at: payload.lowerBound) & 0xffff)
      guard type < layouts.count, let layout = layouts[type], layout.size <= payload.count else {
        unknown += 1
        return
      }
      if let detail = TraceEvent.Detail(layout, bytes, at: payload.lowerBound) {
        let thread = Int32(truncatingIfNeeded: threadField.load(bytes, at: payload.lowerBound))
        events.append(TraceEvent(time: time, thread: thread, detail: detail))
      }
    }
    return Summary(lost: walked.lost, unknown: unknown + (walked.isDamaged ? 1 : 0))
  }
}

extension TraceEvent.Detail {
  /// What an event says; nil for one that is of no interest: INT n, and what concerns the PIC.
  @inline(__always)
  fileprivate init?(_ layout: EventLayout, _ bytes: RawSpan, at base: Int) {
    let first = layout.first.load(bytes, at: base)
    let second = layout.second.load(bytes, at: base)
    func vector(_ value: UInt64) -> Vector { Vector(rawValue: UInt8(truncatingIfNeeded: value)) }
    switch layout.tracepoint {
    case .accept, .acceptByHardware:
      // The mode as in an interrupt command: bits 10:8 (SDM volume 3A, section 12.6.1).
      let mode = DeliveryMode(rawValue: UInt8(layout.third.load(bytes, at: base) >> 8 & 7))
      let id = UInt32(truncatingIfNeeded: first)
      self =
        layout.tracepoint == .accept
        ? .accepted(vcpuID: id, vector: vector(second), mode: mode)
        : .acceptedByHardware(vcpuID: id, vector: vector(second), mode: mode)
    case .inject:
      guard second == 0 else { return nil }
      self = .injected(vector: vector(first), isReinjected: layout.third.load(bytes, at: base) != 0)
    case .eoi, .paravirtualEOI:
      self = .endOfInterrupt(
        vcpuID: UInt32(truncatingIfNeeded: first), vector: UInt8(exactly: second).map(Vector.init(rawValue:)))
    case .ipi: self = .ipi(vector: vector(first))
    case .msi: self = .message(vector: vector(first))
    case .setIRQ: self = .line(gsi: UInt32(truncatingIfNeeded: first), isHigh: second != 0)
    case .acknowledge:
      // KVM_IRQCHIP_IOAPIC.
      guard first == 2 else { return nil }
      self = .acknowledged(pin: UInt32(truncatingIfNeeded: second))
    case .ioapic:
      // A redirection entry, whose bit 16 is the mask.
      self = .ioapic(
        pin: UInt32(truncatingIfNeeded: second), vector: vector(first), isMasked: first >> 16 & 1 != 0,
        isCoalesced: layout.third.load(bytes, at: base) != 0)
    case .inhibit:
      self = .inhibit(
        isSet: second != 0, reason: Int(truncatingIfNeeded: first), inhibits: layout.third.load(bytes, at: base))
    case .wakeUp: self = .wokenUp(hadSlept: second != 0, after: first)
    case .entry: self = .entered(vcpuID: UInt32(truncatingIfNeeded: first))
    case .exit:
      var reason = ExitReason(
        number: UInt32(truncatingIfNeeded: first), architecture: UInt8(truncatingIfNeeded: second))
      // VM-exit interruption information: bit 31 says that it is valid (SDM volume 3C, section 26.9.2).
      let information = layout.third.load(bytes, at: base)
      if reason.isExternalInterrupt, information >> 31 & 1 != 0 {
        reason.vector = UInt8(truncatingIfNeeded: information)
      }
      self = .exited(reason: reason)
    case .modelSpecificRegister:
      self = .accessed(register: UInt32(truncatingIfNeeded: first), isWrite: second != 0)
    }
  }
}
