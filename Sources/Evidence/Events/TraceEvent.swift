public import APIC

/// One kvm event of a trace (kernel, arch/x86/kvm/trace.h).
public struct TraceEvent: Hashable, Sendable {
  /// When, in the unit of the trace's clock: TSC cycles, or nanoseconds.
  public var time: UInt64
  /// The kernel's id of the thread on which it happened.
  public var thread: Int32
  /// What it says.
  public var detail: Detail

  /// What an event says. Nothing in it is kept elsewhere, so that copying one is cheap: there may be millions.
  public enum Detail: Hashable, Sendable {
    /// A local APIC accepted an interrupt (kvm_apic_accept_irq): that of the vCPU with this id. The mode is nil where it
    /// is the reserved one.
    case accepted(vcpuID: UInt32, vector: Vector, mode: DeliveryMode?)
    /// An interrupt went to the hardware for delivery (kvm_apicv_accept_irq).
    case acceptedByHardware(vcpuID: UInt32, vector: Vector, mode: DeliveryMode?)
    /// Software injects an interrupt at VM entry (kvm_inj_virq), for the thread's vCPU; again after an exit that came
    /// in between. Interrupts of the guest's own making (INT n) are left out.
    case injected(vector: Vector, isReinjected: Bool)
    /// An interrupt's service ended (kvm_eoi, kvm_pv_eoi); nil where none was in service.
    case endOfInterrupt(vcpuID: UInt32, vector: Vector?)
    /// An interrupt command register was written (kvm_apic_ipi), on the sender's thread.
    case ipi(vector: Vector)
    /// A message came (kvm_msi_set_irq).
    case message(vector: Vector)
    /// A line was raised or lowered (kvm_set_irq).
    case line(gsi: UInt32, isHigh: Bool)
    /// An interrupt of this IOAPIC pin was ended (kvm_ack_irq). Those of the PIC are left out.
    case acknowledged(pin: UInt32)
    /// A pin of the IOAPIC was raised (kvm_ioapic_set_irq), and its interrupt, if it is one, accepted before.
    case ioapic(pin: UInt32, vector: Vector, isMasked: Bool, isCoalesced: Bool)
    /// APICv was inhibited, or an inhibit taken back (kvm_apicv_inhibit_changed): an APICV_INHIBIT_REASON_ number, and
    /// the bits of all that hold afterwards.
    case inhibit(isSet: Bool, reason: Int, inhibits: UInt64)
    /// A halted vCPU goes on (kvm_vcpu_wakeup) after so many nanoseconds; it had slept, or was only polled for.
    case wokenUp(hadSlept: Bool, after: UInt64)
    /// The thread's vCPU, which has this id, enters the guest (kvm_entry).
    case entered(vcpuID: UInt32)
    /// The thread's vCPU has left the guest (kvm_exit).
    case exited(reason: ExitReason)
    /// The thread's vCPU read or wrote a model-specific register, and KVM did it for it (kvm_msr).
    case accessed(register: UInt32, isWrite: Bool)
  }

  /// An event.
  public init(time: UInt64, thread: Int32, detail: Detail) {
    self.time = time
    self.thread = thread
    self.detail = detail
  }
}

/// What a trace shows, and how much of it was not to be had.
public struct TraceRecording: Hashable, Sendable {
  /// The events, in the order of their times.
  public var events: [TraceEvent] = []
  /// How many events were lost: the kernel threw them away because a buffer was full, or they were more than are kept.
  public var lost: UInt64 = 0
  /// How many events meant nothing here: of an unknown kind, or damaged.
  public var unknown = 0

  /// No trace.
  public init() {}
}

/// What was recorded on each of the host's processors, each in the order of its times.
struct ProcessorEvents {
  /// The events of each processor.
  var events: [[TraceEvent]] = []
  /// Up to which time each processor's events are here at least: nil for all that there were.
  var cuts: [UInt64?] = []
  /// How many events were lost.
  var lost: UInt64 = 0
  /// How many meant nothing.
  var unknown = 0

  /// How many events there are.
  var count: Int { events.reduce(0) { $0 + $1.count } }

  /// Adds what came later of the same processors.
  ///
  /// - Parameter limit: how many events there may be in all; those beyond it count as lost.
  mutating func append(_ later: ProcessorEvents, keeping limit: Int) {
    var room = max(0, limit - count)
    for (index, new) in later.events.enumerated() {
      while events.count <= index { events.append([]) }
      let kept = new.prefix(room)
      room -= kept.count
      events[index] += kept
      lost &+= UInt64(new.count - kept.count)
    }
    lost &+= later.lost
    unknown += later.unknown
  }
}

/// Puts the events of several processors in one order, by time; of the same time, by processor.
struct EventMerge {
  private var streams: [[TraceEvent]] = []
  private var heads: [Int] = []

  /// Adds what came later of each processor.
  mutating func append(_ later: [[TraceEvent]]) {
    for (index, events) in later.enumerated() {
      if streams.count <= index {
        streams.append(events)
        heads.append(0)
      } else if heads[index] == streams[index].count {
        streams[index] = events
        heads[index] = 0
      } else {
        streams[index].removeFirst(heads[index])
        heads[index] = 0
        streams[index] += events
      }
    }
  }

  /// Takes the events of before a time, or all, in their order.
  ///
  /// - Parameters:
  ///   - limit: the time; nil for all.
  ///   - body: called with each.
  @inline(__always)
  mutating func take(before limit: UInt64? = nil, _ body: (TraceEvent) -> Void) {
    while let (stream, next) = earliest() {
      // All of this processor up to where another has an earlier one.
      var head = heads[stream]
      let count = streams[stream].count
      repeat {
        let time = streams[stream][head].time
        if let limit, time >= limit {
          heads[stream] = head
          return
        }
        body(streams[stream][head])
        head += 1
      } while head < count && streams[stream][head].time < next
      heads[stream] = head
    }
  }

  /// The stream with the earliest event, and the time of the earliest of the others.
  private func earliest() -> (stream: Int, next: UInt64)? {
    var found: Int?
    var (best, second) = (UInt64.max, UInt64.max)
    for index in streams.indices where heads[index] < streams[index].count {
      let time = streams[index][heads[index]].time
      if found == nil || time < best {
        second = best
        (found, best) = (index, time)
      } else if time < second {
        second = time
      }
    }
    return found.map { ($0, second) }
  }
}

extension TraceRecording {
  /// The events of several processors in one order.
  init(_ processors: ProcessorEvents) {
    events.reserveCapacity(processors.count)
    var merge = EventMerge()
    merge.append(processors.events)
    var events = events
    merge.take { events.append($0) }
    self.events = events
    lost = processors.lost
    unknown = processors.unknown
  }
}
