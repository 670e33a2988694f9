public import APIC
public import KVM
public import ReferenceModel

/// A machine's interrupt controllers, whoever has them: a kernel, the reference model, or a model with a fault.
///
/// What it cannot do it refuses; an error is something that must not happen, or a host that has run out of something.
public protocol InterruptSubject: AnyObject {
  /// How many vCPUs it has.
  var vcpuCount: Int { get }

  /// Does a step of a history.
  func perform(_ step: Step) throws(KVMError) -> StepAnswer

  /// Has actors do something at the same time, each on a thread of its own, and waits for all of them.
  ///
  /// - Returns: What was answered to each step of each actor, and when.
  func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]]

  /// A device writes a message.
  func send(_ message: MSIMessage) throws(KVMError) -> DeliveryAnswer
  /// A line's level; the answer is there where it was asked for.
  func setLine(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) throws(KVMError) -> DeliveryAnswer?
  /// A write to the irqfd of a GSI; when it returns the line has been raised and lowered.
  func fire(_ gsi: UInt32) throws(KVMError)
  /// Replaces the routes.
  func setRoutes(_ routes: [GSIRoute]) throws(KVMError)
  /// Reads an MSR of a vCPU.
  func readMSR(_ vcpu: Int, _ index: UInt32) throws(KVMError) -> StepAnswer
  /// Writes an MSR of a vCPU; false where it is refused.
  func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64) throws(KVMError) -> Bool
  /// A local APIC's page.
  func localAPIC(_ vcpu: Int) throws(KVMError) -> LocalAPICState
  /// Sets a local APIC's page; false where it is refused.
  func setLocalAPIC(_ vcpu: Int, _ state: LocalAPICState) throws(KVMError) -> Bool
  /// The IOAPIC.
  func ioapic() throws(KVMError) -> IOAPICState
  /// Sets the IOAPIC.
  func setIOAPIC(_ state: IOAPICState) throws(KVMError)
  /// A PIC.
  func pic(_ chip: PIC.Chip) throws(KVMError) -> PICState
  /// Sets a PIC.
  func setPIC(_ chip: PIC.Chip, _ state: PICState) throws(KVMError)
  /// A non-maskable interrupt from user space.
  func signalNMI(_ vcpu: Int) throws(KVMError)
  /// What a vCPU does, as `MPState` numbers it, after it has taken INIT and SIPI.
  func activity(_ vcpu: Int) throws(KVMError) -> UInt64
  /// Sets what a vCPU does; false where it is refused.
  func setActivity(_ vcpu: Int, _ state: MPState) throws(KVMError) -> Bool
  /// Runs a vCPU with interrupts on until it has taken one, whose vector is the answer; `done` where it takes none.
  func takeInterrupt(_ vcpu: Int) throws(KVMError) -> StepAnswer
  /// Has a vCPU write an MSR, or read it where there is no value, with interrupts off. Where it does not run, an NMI waits, or an
  /// entry that was refused has left something to be injected, the answer is `done`.
  func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) throws(KVMError) -> StepAnswer
  /// Has a vCPU reach interrupt controllers by memory or ports, with interrupts off; as `accessMSR` where it does not run.
  func access(_ vcpu: Int, _ access: GuestAccess) throws(KVMError) -> StepAnswer
  /// Has a vCPU execute an instruction with interrupts off, which lets NMIs wait as `accessMSR` does.
  func runWithInterruptsOff(_ vcpu: Int) throws(KVMError) -> StepAnswer
  /// Has a vCPU halt, or execute another instruction behind STI, and take what comes then: the answer is a vector, `halts`, or
  /// `done` where it takes none. As `accessMSR` where it does not run.
  func halt(_ vcpu: Int, _ form: HaltForm) throws(KVMError) -> StepAnswer
  /// Everything that can be seen, into a value that is used again.
  func observe(_ observation: inout VisibleState) throws(KVMError)
}

extension InterruptSubject {
  /// Does a step of a history: what its operation says.
  public func perform(_ step: Step) throws(KVMError) -> StepAnswer { try step.kind.perform(step.arguments, self) }
}

/// How a vCPU comes to an instruction behind which it takes interrupts.
public enum HaltForm: UInt64, Sendable, CaseIterable {
  /// STI, which lets in nothing before the next instruction, and HLT (SDM volume 2B, STI).
  case haltAfterSTI
  /// HLT, with interrupts on before.
  case halt
  /// STI, and an instruction that does nothing to interrupts.
  case instructionAfterSTI
}

/// What the answer to a step was, or may be.
public enum StepAnswer: Hashable, Sendable {
  /// It was done, and says nothing.
  case done
  /// It was refused.
  case refused
  /// The processor refused to enter the guest, for a reason that it numbers.
  case entryRefused(UInt64)
  /// The vCPU has halted.
  case halts
  /// What became of an interrupt.
  case delivery(DeliveryAnswer)
  /// A value, or where time decides between which two it may be.
  case value(UInt64, upTo: UInt64)
  /// The vector of an interrupt that came behind an instruction or before it.
  case taken(vector: UInt64, isBehind: Bool)

  /// A value that is known.
  static func value(_ value: UInt64) -> StepAnswer { .value(value, upTo: value) }

  /// Whether a machine may answer so where this is expected.
  func allows(_ seen: StepAnswer) -> Bool {
    guard case .value(let least, let most) = self, case .value(let value, _) = seen else { return self == seen }
    return least <= value && value <= most
  }
}

extension StepAnswer: CustomStringConvertible {
  /// The answer in words, as in `delivered to 2` and `0x40`.
  public var description: String {
    switch self {
    case .done: "done"
    case .refused: "refused"
    case .halts: "halts"
    case .entryRefused(let reason): "entry refused, hardware reason \(reason)"
    case .delivery(.delivered(let count)): "delivered to \(count)"
    case .delivery(.coalesced): "coalesced"
    case .delivery(.ignored): "ignored"
    case .value(let least, let most):
      least == most ? Self.hex(least) : "\(Self.hex(least)) to \(Self.hex(most))"
    case .taken(let vector, let isBehind): "\(Self.hex(vector)) \(isBehind ? "behind" : "before") the instruction"
    }
  }

  private static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
