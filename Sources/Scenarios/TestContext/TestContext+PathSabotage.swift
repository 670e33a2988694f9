import APIC
import KVM
import Support
import Synchronization
import VMM

/// Sabotage of the path: an interrupt is sent while whoever is to take it is held out of the guest.
extension TestContext {
  /// Sends an interrupt. Where the path is sabotaged, every vCPU but the sender is out of the guest until that is done, so
  /// that nothing can be posted into a running guest.
  ///
  /// - Parameters:
  ///   - sender: the index of the vCPU that sends it; nil for none.
  ///   - send: sends it.
  func withPathCut<Result>(sender: Int? = nil, _ send: () throws -> Result) throws -> Result {
    guard sabotage == .path, hasReachedStimulus else { return try send() }
    var holds: [VCPUHold] = []
    defer { for hold in holds { hold.release() } }
    for vcpu in machine.vcpus.indices where vcpu != sender {
      let hold = try VCPUHold(vcpu, of: machine)
      holds.append(hold)
      try until("vCPU \(vcpu) is out of the guest") { hold.isHeld }
    }
    return try send()
  }
}

/// What a vCPU needs so that it is in the guest when it is interrupted: a processor of the host that nobody else wants.
extension TestContext {
  /// Has all vCPUs but one sleep, so that a host with two processors runs that one and this thread at the same time.
  func leaveProcessorsTo(_ vcpu: Int) throws {
    for other in vcpus where other.index != vcpu { try other.halt() }
  }

  /// Has each vCPU compute a little and interrupt itself, with vector 0x3e, which no scenario uses otherwise: what it touches
  /// for the first time, such as the pages of its stack and log, costs exits that are not the later interrupts' own. Of a few
  /// interrupts these may meet more than half, which then prove nothing.
  func warmUp() throws {
    let vector: Vector = 0x3e
    for vcpu in vcpus {
      try load(vcpu.index, rounds: 1)
      try vcpu.send(.toSelf(vector))
      try expect(1, of: vector, on: vcpu.index)
    }
  }

  /// Has a vCPU send an interprocessor interrupt again and again to another that runs, each when the one before is recorded,
  /// while this thread sleeps: it would take a processor from one of them.
  ///
  /// - Parameters:
  ///   - command: the interrupt, for one vCPU; nobody else sends its vector.
  ///   - sender: the index of the vCPU that sends it.
  ///   - times: how often.
  func sendToRunning(_ command: InterruptCommand, from sender: Int, times: Int) throws {
    guard sabotage != .path else {
      for count in 1...times {
        try self[vcpu: sender].send(command)
        try until("the IPI is taken") { taken(command.vector, on: 1 - sender) >= count }
      }
      return
    }
    try self[vcpu: sender].beginVolley(command, times: times, receivers: 1)
    Pause.sleep(.milliseconds(20))
    try check("IPIs sent and recorded", try self[vcpu: sender].finishVolley(), equals: times)
  }
}

/// Keeps a vCPU out of the guest: its own thread waits there.
final class VCPUHold: Sendable {
  private let isHeldFlag = Atomic<Bool>(false)
  private let isReleased = Atomic<Bool>(false)

  init(_ vcpu: Int, of machine: Machine) throws {
    try HostThread.startDetached { [self] in
      try? machine.withVCPUStopped(vcpu) { [self] _ in
        isHeldFlag.store(true, ordering: .releasing)
        while !isReleased.load(ordering: .acquiring), machine.stop.reason == nil { Pause.sleep(.microseconds(50)) }
      }
    }
  }

  /// Whether the vCPU is out of the guest.
  var isHeld: Bool { isHeldFlag.load(ordering: .acquiring) }

  /// Lets it go on.
  func release() { isReleased.store(true, ordering: .releasing) }
}
