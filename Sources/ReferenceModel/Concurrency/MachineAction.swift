public import APIC

/// Something that a kernel does at once, as far as others who do something at the same time can tell: a part of a call.
///
/// A call is not one thing. A message reaches several vCPUs one after the other (`kvm_irq_delivery_to_apic`); a line's routes
/// are looked up, and then followed one by one, whatever becomes of the table meanwhile (`kvm_set_irq`).
enum MachineAction: Hashable, Sendable {
  /// The routes of a line are looked up (`kvm_irq_map_gsi`).
  case line(UInt32, level: Bool, tellsStatus: Bool)
  /// One of them is followed. A pin's lock is held until its message has reached everybody (`kvm_ioapic_set_irq`).
  case route(Route, level: Bool, tellsStatus: Bool)
  /// An irqfd is signalled (`irqfd_wakeup`).
  case irqfd(UInt32)
  /// It is found out whom a message is for.
  case message(BusMessage, sender: Int?)
  /// One local APIC gets it (`__apic_accept_irq`).
  case hand(BusMessage, to: Int)
  /// The sender of a message learns what became of it.
  case delivered
  /// A pin learns what became of its message, and is let go.
  case serviced(Int, vector: Vector, isClock: Bool)
  /// The table of routes is replaced (`kvm_set_irq_routing`).
  case routes(RouteTable)
  /// A non-maskable interrupt comes from user space.
  case nmi(vcpu: Int)
  /// A register is written by its x2APIC MSR.
  case write(vcpu: Int, index: UInt32, UInt64, at: Moment)
  /// A vCPU enters the guest and returns from the handler of what it took last.
  case enter(vcpu: Int, looksAnyway: Bool)
  /// It looks for an interrupt, and takes what there is (`kvm_check_and_inject_events`).
  case look(vcpu: Int)
  /// It enters the guest with interrupts off, to execute an instruction.
  case enterToWrite(vcpu: Int, looksAnyway: Bool)
  /// It writes an x2APIC register.
  case guestWrite(vcpu: Int, index: UInt32, UInt64, at: Moment)
  /// It leaves the guest.
  case leave(vcpu: Int, wakes: Bool)
  /// The IOAPIC hears of the end of a service (`kvm_ioapic_update_eoi`).
  case heardEnd(Vector, isLevel: Bool, vcpu: Int)
  /// So does one of its pins, before which KVM lets go of the chip (`kvm_ioapic_update_eoi_one`).
  case pinEnded(Int, Vector)
}

/// A call that is under way: the actions that are left of it, and what it has come to so far.
public struct MachineCall: Hashable, Sendable {
  /// What is left to do, the next at the end.
  var rest: [MachineAction]
  /// What the call answers.
  public internal(set) var answer = DeliveryAnswer.ignored
  /// Whether a register refused what was written.
  public internal(set) var isRefused = false
  /// What a vCPU took; nil for nothing.
  public internal(set) var vector: Vector?
  /// Whether it is this call that has the IOAPIC.
  var holdsIOAPIC = false
  /// Of the message that is under way: how many took it, who of them a fixed interrupt, and KVM's number where it is for nobody.
  var taken = 0
  var takers: UInt64 = 0
  var numberForNobody = 0

  init(_ action: MachineAction) { rest = [action] }

  /// Whether nothing is left to do.
  public var isEnded: Bool { rest.isEmpty }

  /// The vCPU whose local APIC the next action hands a message to, and its vector; nil for another action.
  public var nextHand: (vcpu: Int, vector: Vector)? {
    guard case .hand(let message, let vcpu) = rest.last else { return nil }
    return (vcpu, message.vector)
  }

  /// The pin that the next action changes, or lets go; nil for another action.
  public var nextPin: Int? {
    switch rest.last {
    case .route(.ioapic(let pin), _, _), .serviced(let pin, _, _): pin
    default: nil
    }
  }

  /// The vCPU that gets an NMI of user space by the next action; nil for another action.
  public var nextNMI: Int? {
    guard case .nmi(let vcpu) = rest.last else { return nil }
    return vcpu
  }

  /// The vCPU that runs with interrupts on; nil where none does.
  public var takingVCPU: Int? {
    guard case .leave(let vcpu, wakes: false) = rest.first else { return nil }
    return vcpu
  }

  /// Whether somebody has taken the message that is under way.
  public var hasReachedSomebody: Bool { taken > 0 }

  /// Whether the next action looks routes up for an irqfd.
  public var isIRQFDNext: Bool {
    guard case .irqfd = rest.last else { return false }
    return true
  }

  /// Whether the next action replaces the routes.
  public var isRoutingNext: Bool {
    guard case .routes = rest.last else { return false }
    return true
  }

  /// Leaves out what is left.
  public mutating func abandon() { rest = [] }

  /// Leaves out the next action.
  public mutating func skip() { _ = rest.popLast() }

  /// Changes what the call answers.
  public mutating func setAnswer(_ answer: DeliveryAnswer) { self.answer = answer }
}

extension MachineCall {
  /// A device writes a message (KVM_SIGNAL_MSI).
  public static func message(_ message: MSIMessage) -> MachineCall {
    MachineCall(.route(.message(message), level: true, tellsStatus: true))
  }

  /// A line's level (KVM_IRQ_LINE and KVM_IRQ_LINE_STATUS).
  public static func line(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) -> MachineCall {
    MachineCall(.line(gsi, level: level, tellsStatus: tellsStatus))
  }

  /// A write to an irqfd, until all of it has happened.
  public static func irqfd(_ gsi: UInt32) -> MachineCall { MachineCall(.irqfd(gsi)) }

  /// New routes (KVM_SET_GSI_ROUTING).
  public static func routes(_ table: RouteTable) -> MachineCall { MachineCall(.routes(table)) }

  /// A non-maskable interrupt (KVM_NMI).
  public static func nmi(_ vcpu: Int) -> MachineCall { MachineCall(.nmi(vcpu: vcpu)) }

  /// A vCPU runs with interrupts on until it has taken one, or has none to take.
  ///
  /// - Parameters:
  ///   - vcpu: Its index.
  ///   - looksAnyway: Whether it looks though nothing has happened to it.
  public static func take(_ vcpu: Int, looksAnyway: Bool = false) -> MachineCall {
    var call = MachineCall(.leave(vcpu: vcpu, wakes: false))
    call.rest += [.look(vcpu: vcpu), .enter(vcpu: vcpu, looksAnyway: looksAnyway)]
    return call
  }

  /// A vCPU writes an x2APIC register with interrupts off.
  ///
  /// - Parameters:
  ///   - vcpu: Its index.
  ///   - index: The register's MSR, 0x800 to 0x8ff.
  ///   - value: What it writes.
  ///   - moment: When.
  ///   - looksAnyway: Whether it looks for interrupts though nothing has happened to it.
  public static func guestWrite(
    _ vcpu: Int, _ index: UInt32, _ value: UInt64, at moment: Moment, looksAnyway: Bool = false
  ) -> MachineCall {
    var call = MachineCall(.leave(vcpu: vcpu, wakes: true))
    call.rest += [
      .guestWrite(vcpu: vcpu, index: index, value, at: moment),
      .enterToWrite(vcpu: vcpu, looksAnyway: looksAnyway),
    ]
    return call
  }

  /// A write to an x2APIC register from user space (KVM_SET_MSRS).
  public static func write(_ vcpu: Int, _ index: UInt32, _ value: UInt64, at moment: Moment) -> MachineCall {
    MachineCall(.write(vcpu: vcpu, index: index, value, at: moment))
  }
}
