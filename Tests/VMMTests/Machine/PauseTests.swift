import APIC
import BuiltInGuests
import GuestContract
import KVM
import Synchronization
import TestImages
import Testing

@testable import VMM

/// A machine stands still when it is told to, and goes on.
@Suite(.needsKVM) struct PauseTests {
  private static func machine(_ code: Code, vcpus: Int = 1, console: Console = Console()) throws -> Machine {
    try Machine.testing(GuestImage(name: "test", bytes: ELFImage(code: code.bytes).bytes), console: console) {
      $0.vcpus = vcpus
      $0.start = .direct
    }
  }

  /// Prints the same character for ever.
  private static let printing = Code(.long).then([0xba, 0xf8, 0x03, 0, 0, 0xb0, 0x2e, 0xee, 0xeb, 0xfd])

  @Test func `vCPUs that are paused do nothing, whether they run or halt, until all pauses are over`() throws {
    let machine = try Self.machine(Self.printing, vcpus: 2)
    let running = try machine.start()
    func printed() -> Int { machine.console.text.utf8.count }
    let deadline = ContinuousClock.now + .seconds(20)
    while printed() < 5, .now < deadline { machine.stop.wait(atMost: .milliseconds(1)) }
    try machine.pause()
    try machine.pause()
    let before = printed()
    // With nothing half done: the next character is still to be written.
    for index in 0...1 {
      #expect(try machine.withVCPUStopped(index) { vcpu throws(KVMError) in try vcpu.mpState() } == .runnable)
    }
    #expect(machine.resume() == nil)
    machine.stop.wait(atMost: .milliseconds(20))
    #expect(printed() == before)
    #expect(try #require(machine.resume()) > .zero)
    while printed() <= before, .now < deadline { machine.stop.wait(atMost: .milliseconds(1)) }
    #expect(printed() > before)
    _ = running.finish()
  }

  @Test func `a pause at an exit is after just that exit`() throws {
    let machine = try Self.machine(Self.printing)
    let running = try machine.start(pausingAt: .exit(7))
    #expect(try machine.pause(at: .exit(7), within: .seconds(20)))
    #expect(machine.console.text == ".......")
    machine.resume()
    _ = running.finish()
  }

  @Test func `a pause at a mark is right behind that mark`() throws {
    let machine = try Machine.testing(try #require(BuiltInGuest.named("msi")).image)
    let label = "irqfd through an MSI route"
    let running = try machine.start(pausingAt: .label(label))
    #expect(try machine.pause(at: .label(label), within: .seconds(20)))
    #expect(machine.log.next().last?.event == .mark(label))
    machine.resume()
    // It tells of no mark that nobody waits for.
    #expect(try machine.memory.load(UInt32.self, at: machine.layout.bootPage + UInt64(LAPWING_BOOT_TELLS_MARKS)) == 0)
    #expect(machine.stop.wait(atMost: .seconds(20)))
    #expect(running.finish().isSuccess)
    #expect(machine.log.next().count { if case .interrupt(0x52, _) = $0.event { true } else { false } } == 10)
  }

  @Test func `a moment that does not come is no pause`() throws {
    let machine = try Self.machine(Code(.long).print("x").debugExit(0))
    let running = try machine.start(pausingAt: .mark(1))
    #expect(try !machine.pause(at: .mark(1), within: .seconds(20)))
    #expect(running.finish().isSuccess)
  }

  @Test func `a vCPU that a device holds up makes the pause fail in time, and the machine goes on`() throws {
    let flag = Flag()
    let console = Console { bytes in
      while flag.isSet {}
      return bytes.count
    }
    let machine = try Self.machine(Code(.long).print("x").debugExit(0), console: console)
    let running = try machine.start()
    // Once it is there.
    let deadline = ContinuousClock.now + .seconds(20)
    while !flag.wasSeen, .now < deadline {}
    #expect(throws: MachineError.self) { try machine.pause(within: .milliseconds(50)) }
    flag.clear()
    #expect(machine.stop.wait(atMost: .seconds(20)))
    #expect(running.finish().isSuccess)
  }

  /// What a console waits for.
  private final class Flag: Sendable {
    private let value = Atomic<Bool>(true)
    private let seen = Atomic<Bool>(false)
    var wasSeen: Bool { seen.load(ordering: .acquiring) }
    var isSet: Bool {
      seen.store(true, ordering: .releasing)
      return value.load(ordering: .acquiring)
    }
    func clear() { value.store(false, ordering: .releasing) }
  }
}
