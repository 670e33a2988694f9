import APIC
import Dispatch
import Glibc
import KVM
import Synchronization
import TestImages
import Testing

@testable import VMM

/// Every machine ends: by its guest, by its limit, or by somebody outside.
@Suite(.needsKVM) struct EndingTests {
  private static let marker: UInt32 = 0x1234_abcd
  private static let limit = Duration.milliseconds(200)

  private static func image(_ code: Code) -> [UInt8] { ELFImage(code: code.bytes).bytes }
  private static let spinning = image(Code(.long).loadEAX(marker).spin())

  @Test(arguments: [
    (code: Code(.long).loadEAX(marker).then([0xfa]).spin(), state: "runnable"),
    (Code(.long).loadEAX(marker).halt(), "halted"),
  ])
  func `a guest that hangs with interrupts off ends by its limit, and its state can be read`(
    code: Code, state: String
  ) throws {
    let run = try Run(Self.image(code), limit: Self.limit)
    #expect(run.ending == "the time limit passed")
    #expect(run.elapsed >= Self.limit)
    #expect(run.elapsed < Self.limit + slack)
    let report = try #require(try run.machine.reports().first)
    #expect(report.registers.rax == UInt64(Self.marker))
    #expect((0x10_0005...0x10_0009).contains(report.registers.rip))
    #expect("\(report.state)" == state)
    #expect(report.specialRegisters.efer == 0x500)
  }

  @Test func `all vCPUs may hang at once`() throws {
    let run = try Run(Self.spinning, limit: Self.limit) {
      $0.vcpus = 4
      $0.start = .direct
    }
    #expect(run.ending == "the time limit passed")
    #expect(run.elapsed < Self.limit + slack)
    let reports = try run.machine.reports()
    #expect(reports.map(\.index) == [0, 1, 2, 3])
    #expect(reports.map(\.registers.rip) == [UInt64](repeating: 0x10_0005, count: 4))
    #expect(reports.map { $0.localAPIC.id(mode: .xAPIC) } == [0, 1, 2, 3])
  }

  @Test func `vCPUs that nobody starts do not keep the machine`() throws {
    let run = try Run(Self.image(Code(.long).debugExit(0))) { $0.vcpus = 4 }
    #expect(run.outcome.isSuccess)
    #expect(try run.machine.reports().dropFirst().allSatisfy { $0.state == .uninitialized })
  }

  @Test func `a sink that blocks until a signal comes does not keep the machine`() throws {
    let console = Console { _ in
      pause()
      return 0
    }
    let run = try Run(Self.image(Code(.long).print("x").debugExit(0)), limit: Self.limit, console: console)
    #expect(run.ending == "the time limit passed")
    #expect(run.elapsed < Self.limit + slack)
    #expect(run.machine.console.text == "x")
  }

  @Test func `a machine that is stopped from outside says so`() throws {
    let machine = try Machine.testing(GuestImage(name: "spin", bytes: Self.spinning))
    let outcome = try machine.run(limit: .seconds(60), every: .milliseconds(1)) { machine.stop.stop(.stopped) }
    #expect("\(outcome)" == "the machine was stopped from outside")
    #expect(try #require(machine.times.ended) > #require(machine.times.started))
  }

  @Test func `a machine that has ended does not run again`() throws {
    let run = try Run(Self.image(Code(.long).debugExit(3)))
    let again = try run.machine.run(limit: .seconds(60))
    #expect("\(again)" == run.ending)
  }

  @Test func `machines run side by side, each with what is its own`() {
    let endings = Mutex<[Int: String]>([:])
    let group = DispatchGroup()
    let queue = DispatchQueue(label: "machines", attributes: .concurrent)
    for status in 0..<4 {
      queue.async(group: group) {
        let code = Code(.long).print("guest \(status)").debugExit(UInt8(status))
        let run = try? Run(Self.image(code))
        endings.withLock { $0[status] = run.map { "\($0.machine.console.text): \($0.ending)" } }
      }
    }
    group.wait()
    #expect(
      endings.withLock { $0 } == [
        0: "guest 0: the guest wrote 0 to the debug exit",
        1: "guest 1: vCPU 0 wrote 1 to the debug exit (0 would be success)",
        2: "guest 2: vCPU 0 wrote 2 to the debug exit (0 would be success)",
        3: "guest 3: vCPU 0 wrote 3 to the debug exit (0 would be success)",
      ])
  }
}
