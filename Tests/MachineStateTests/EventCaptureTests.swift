import BuiltInGuests
import Glibc
import KVM
import Support
import Synchronization
import SystemPackage
import Testing
import VMM

@testable import MachineState

/// The irqfds of a machine over a capture that KVM refuses half way, and over two at once.
@Suite("A capture keeps the machine's irqfds", Host.canRun) struct EventCaptureTests {
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

  @Test func `two threads that take the state at once each find all irqfds`() throws {
    let machine = try machine()
    let started = Atomic<Int>(0)
    let found = Mutex<[Int]>([])
    let threads = try (0..<2).map { number in
      try HostThread.start {
        started.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while started.load(ordering: .sequentiallyConsistent) < 2 {}
        for _ in 0..<50 {
          let state = number == 0 ? try? machine.capture() : try? machine.snapshot().state
          found.withLock { $0.append(state?.irqfds.count ?? 0) }
        }
      }
    }
    for thread in threads { pthread_join(thread, nil) }
    #expect(found.withLock { $0 } == Array(repeating: 3, count: 100))
    #expect(machine.vm.irqfds.count == 3)
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
