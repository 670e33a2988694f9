import APIC
import BuiltInGuests
import KVM
import Testing
import VMM

@testable import Evidence

/// Journeys of guests that run on this host.
@Suite struct JourneyRecorderTests {
  static let canRecord = TraceInstanceTests.isUsable && (try? KVM.open()) != nil

  private func machine(_ guest: String, vcpus: Int, arguments: String = "") throws -> Machine {
    var configuration = MachineConfiguration()
    configuration.vcpus = vcpus
    configuration.arguments = arguments
    let image = try #require(BuiltInGuest.named(guest)).image
    return try Machine(configuration, image: image, on: try KVM.open(), console: Console())
  }

  @Test(.enabled(if: canRecord, "nothing can be recorded here"))
  func `without its records a guest's interrupts have the same sources, and no handler`() throws {
    let machine = try machine("ipi", vcpus: 2)
    let recorder = try JourneyRecorder(TracePool(), deliversVirtually: HostSurvey.take()[.apicv].isAvailable)
    var threads: [Int32] = []
    let outcome = try machine.run(limit: .seconds(60), tick: { recorder.drain() }, ended: { threads = $0 })
    #expect(outcome.isSuccess)
    let result = try recorder.finish(machine, threads: threads, taken: [])
    #expect(result.lostEvents == 0 && result.unknownEvents == 0)
    #expect(result.journeys.allSatisfy { $0.taken == nil && $0.accepted != nil })
    // To the halted vCPU 1, and the broadcast to all but the sender: KVM sees both on every host.
    for vector in [0x60, 0x80] as [Vector] {
      let journey = try #require(result.journeys.first { $0.vector == vector })
      #expect(journey.vcpu == 1)
      #expect(journey.source == .ipi(vcpu: 0))
    }
    let halted = try #require(result.journeys.first { $0.vector == 0x60 })
    #expect(try #require(halted.wokenUp) >= #require(halted.accepted))
    #expect(halted.path != nil)
    let moments = result.journeys.compactMap(\.accepted)
    #expect(moments == moments.sorted())
  }

  @Test(.enabled(if: canRecord, "nothing can be recorded here"))
  func `events that find no room are counted, and what is left can be read`() throws {
    let machine = try machine("agent", vcpus: 1, arguments: "x2apic start")
    let room = TraceConfiguration.Room(budget: 16, range: 8...8)
    let instance = try TraceInstance(TracePaths(), room)
    try instance.begin()
    let running = try machine.start()
    let count = 5000
    for _ in 0..<count {
      try machine.vm.signal(MSIMessage(vector: 0x60, destination: Destination(0, mode: .physical)))
    }
    let seen = try instance.end()
    _ = running.finish()
    let messages = TraceRecording(seen).events.count {
      if case .message = $0.detail { true } else { false }
    }
    #expect(messages > 0 && messages < count)
    #expect(seen.lost > 0)
    // Every message is an event at least.
    #expect(seen.count + Int(seen.lost) >= count)
    #expect(seen.unknown == 0)
  }

  @Test(.enabled(if: canRecord, "nothing can be recorded here"))
  func `a recorder that cannot begin gives its instance back once`() throws {
    let pool = TracePool()
    let broken = try pool.lend()
    broken.close()
    pool.giveBack(broken)
    #expect(throws: TraceUnavailable.self) { try JourneyRecorder(pool, deliversVirtually: nil) }
    #expect(try pool.lend() === broken)
    #expect(try pool.lend() !== broken)
  }
}
