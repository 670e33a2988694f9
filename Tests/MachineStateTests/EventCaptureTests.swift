import BuiltInGuests
import KVM
import SystemPackage
import Testing
import VMM

@testable import MachineState

/// The irqfds of a machine over a capture that KVM refuses half way.
@Suite("A capture that fails keeps the machine's irqfds", Host.canRun) struct EventCaptureTests {
  /// A machine with a plain irqfd on GSI 24, one with resampling on line 20, and one with two writes waiting on GSI 25.
  private func machine() throws -> Machine {
    var configuration = MachineConfiguration()
    configuration.memory = 16 << 20
    let image = try #require(BuiltInGuest.named("agent")).image
    let machine = try Machine(configuration, image: image, on: try #require(Host.system), console: Console())
    try machine.vm.assignIRQFD(EventDescriptor(), gsi: 24)
    try machine.vm.assignIRQFD(EventDescriptor(), gsi: 20, resample: EventDescriptor())
    try machine.vm.assignIRQFD(EventDescriptor(), gsi: 25)
    return machine
  }

  private let failure = KVMError(call: .irqFD, errno: .noMemory)

  /// The machine's calls, of which one fails.
  private func calls(_ machine: Machine, failingAt fails: @escaping (_ isEnd: Bool, IRQFD) -> Bool)
    -> EventCapture.Calls
  {
    var calls = EventCapture.Calls(machine.vm)
    let (assign, end) = (calls.assign, calls.end)
    let failure = failure
    calls.assign = { irqfd throws(KVMError) in
      if fails(false, irqfd) { throw failure }
      try assign(irqfd)
    }
    calls.end = { irqfd throws(KVMError) in
      if fails(true, irqfd) { throw failure }
      try end(irqfd)
    }
    return calls
  }

  @Test(arguments: [24, 20, 25] as [UInt32])
  func `where one cannot be ended, those that were are assigned again`(gsi: UInt32) throws {
    let machine = try machine()
    let before = machine.vm.irqfds
    let error = #expect(throws: KVMError.self) {
      // The first of line 20 that is ended is the machine's own, not the guard.
      _ = try EventCapture(
        holding: machine,
        calls: calls(machine) { isEnd, irqfd in
          isEnd && irqfd.gsi == gsi && before.contains { $0.event === irqfd.event }
        })
    }
    #expect(error?.errno == failure.errno)
    #expect(Set(machine.vm.irqfds.map(\.gsi)) == [20, 24, 25])
    #expect(machine.vm.irqfds.count == 3)
    #expect(try machine.capture().irqfds.count == 3)
  }

  @Test func `where the guard of a resampled line cannot be assigned, nothing was ended`() throws {
    let machine = try machine()
    let before = machine.vm.irqfds.map(\.gsi)
    #expect(throws: KVMError.self) {
      _ = try EventCapture(holding: machine, calls: calls(machine) { isEnd, irqfd in !isEnd })
    }
    #expect(machine.vm.irqfds.map(\.gsi) == before)
  }

  @Test func `where one cannot be assigned again, the others are, and what waited in its event still does`() throws {
    let machine = try machine()
    let events = machine.vm.irqfds.map(\.event)
    let capture = try EventCapture(
      holding: machine,
      calls: calls(machine) { isEnd, irqfd in
        !isEnd && events.contains { $0 === irqfd.event } && irqfd.gsi == 24
      })
    #expect(Set(machine.vm.irqfds.map(\.gsi)) == [20])
    try events[0].write(2)
    #expect(throws: KVMError.self) { _ = try capture.release() }
    #expect(machine.vm.irqfds.map(\.gsi) == [20, 25])
    #expect(try events[0].read() == 2)
  }
}
