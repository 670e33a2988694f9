public import APIC
import GuestContract
import KVM
import VMM

/// That an interrupt did not come is shown by one that must come after it, never by waiting for a while.
///
/// KVM has put an interrupt into the IRR of its target before the call, or the instruction, that sends it is done
/// (`kvm_irq_delivery_to_apic`). So an interrupt of lower priority that is sent then, the fence, is taken behind all of
/// them: once it is, whatever was not taken was not sent. A source that may be late itself, such as a timer or a work
/// queue of the kernel's, is waited for first by what it does afterwards.
extension TestContext {
  /// The vector of fences: no scenario uses one of so low a priority. The agent counts fences and does not log them, and
  /// the evidence leaves them out.
  static let fenceVector = Vector(rawValue: UInt8(LAPWING_FENCE_VECTOR))

  /// Waits until a vCPU has taken all interrupts that it has been sent so far.
  ///
  /// It must be able to take one of the lowest priority: with its interrupts let in, nothing in service, and its local
  /// APIC enabled. A fence ends a HLT.
  public func fence(_ vcpu: Int) throws {
    let before = taken(Self.fenceVector, on: vcpu)
    try signal(MSIMessage(vector: Self.fenceVector, destination: self[vcpu: vcpu].destination))
    try until("vCPU \(vcpu) takes the fence behind all that it was sent") {
      taken(Self.fenceVector, on: vcpu) > before
    }
  }

  /// Expects that a vCPU takes `vector` exactly `count` times in all: waits for so many, then has a fence show that there
  /// are no more.
  public func expect(_ count: Int, of vector: Vector, on vcpu: Int) throws {
    try expectAtLeast(count, of: vector, on: vcpu)
    try fence(vcpu)
    try checkTaken(count, of: vector, on: vcpu)
  }

  /// Expects that a vCPU has not taken `vector`: a fence shows that it has not been sent.
  public func expectNone(of vector: Vector, on vcpu: Int) throws { try expect(0, of: vector, on: vcpu) }

  /// Expects that a vCPU takes `vector` exactly `count` times in all, where it cannot take a fence: waits for so many, then
  /// looks whether another has been accepted, which its local APIC shows while the vCPU is out of the guest.
  ///
  /// - Parameters:
  ///   - count: how often in all.
  ///   - vector: the vector; 2 for NMIs.
  ///   - vcpu: the vCPU's index.
  ///   - reason: why it cannot take a fence.
  public func expect(_ count: Int, of vector: Vector, on vcpu: Int, unfenced reason: String) throws {
    try expectAtLeast(count, of: vector, on: vcpu)
    let isOnItsWay = try isOnItsWay(vector, to: vcpu)
    try check("no more of \(vector) is on its way to vCPU \(vcpu) (\(reason))", !isOnItsWay)
    try checkTaken(count, of: vector, on: vcpu)
  }

  /// Expects that a vCPU has neither taken nor accepted `vector`, where it cannot take a fence.
  public func expectNone(of vector: Vector, on vcpu: Int, unfenced reason: String) throws {
    try expect(0, of: vector, on: vcpu, unfenced: reason)
  }

  /// Expects that a vCPU has accepted `vector`, and that it waits there although the vCPU has gone on with it.
  ///
  /// - Parameters:
  ///   - vector: the vector; 2 for an NMI.
  ///   - vcpu: the vCPU's index.
  ///   - reason: what holds it off.
  public func expectHeld(_ vector: Vector, on vcpu: Int, by reason: String) throws {
    let isHeld = try isHeld(vector, on: vcpu, takenBefore: taken(vector, on: vcpu))
    try check("\(vector) waits on vCPU \(vcpu), held off by \(reason)", isHeld)
  }

  /// Whether an interrupt that a vCPU is sent still waits there when the vCPU has gone on with it. Waits until it is
  /// accepted, or taken.
  func isHeld(_ vector: Vector, on vcpu: Int, takenBefore before: Int) throws -> Bool {
    try until("\(vector) has come to vCPU \(vcpu)") {
      try isOnItsWay(vector, to: vcpu) || taken(vector, on: vcpu) > before
    }
    var state = Acceptance.none
    try until("vCPU \(vcpu) has done with the delivery that it began") {
      try goOn(vcpu)
      state = try acceptance(of: vector, by: vcpu)
      return state != .injected
    }
    return state == .requested && taken(vector, on: vcpu) == before
  }

  /// How far an interrupt has come at a vCPU that has not taken it.
  private enum Acceptance {
    case none
    /// It waits: in the IRR, or as an NMI that is pending.
    case requested
    /// Its delivery has begun. An exit in the middle of it is no obstacle: KVM begins again at the next entry.
    case injected
  }

  /// Has a vCPU go on with all that it has been sent so far: it leaves the guest, enters it again and leaves it once more;
  /// or it goes to sleep anew, where it is halted or waits for a start-up IPI.
  func goOn(_ vcpu: Int) throws {
    let before = try count("exits", of: vcpu) ?? 0
    try until("vCPU \(vcpu) goes on") {
      try machine.withVCPUStopped(vcpu) { _ in }
      let now = try statistics[vcpu].read()
      return now["blocking"] == 1 || (now["exits"] ?? 0) >= before + 2
    }
  }

  /// Whether a vCPU has accepted `vector` and not yet taken it, by its state out of the guest.
  private func isOnItsWay(_ vector: Vector, to vcpu: Int) throws -> Bool {
    try acceptance(of: vector, by: vcpu) != .none
  }

  private func acceptance(of vector: Vector, by vcpu: Int) throws -> Acceptance {
    try machine.withVCPUStopped(vcpu) { vcpu throws(KVMError) in
      let events = try vcpu.events()
      if vector == 2 { return events.nmi.injected ? .injected : events.nmi.pending > 0 ? .requested : .none }
      if events.interrupt.injected, events.interrupt.number == vector.rawValue { return .injected }
      return try vcpu.localAPIC().interruptRequest.contains(vector) ? .requested : .none
    }
  }

  private func checkTaken(_ count: Int, of vector: Vector, on vcpu: Int) throws {
    try check("how often vCPU \(vcpu) takes \(vector)", taken(vector, on: vcpu), equals: count)
  }
}
