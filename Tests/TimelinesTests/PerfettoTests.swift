import APIC
import Testing

@testable import Evidence
@testable import Timelines

@Suite struct PerfettoTests {
  @Test func `entries and exits become slices of the vCPU, with the exit's reason and to the nanosecond`() throws {
    let bytes = try MadeUpTimeline(.perfetto).write(
      "guest",
      [
        event(1_000_000_000_007, on: 101, .entered(vcpuID: 7)),
        event(1_000_000_000_010, on: 101, .exited(reason: ExitReason(number: 12, architecture: 1))),
        event(1_000_000_000_015, on: 101, .entered(vcpuID: 7)),
        event(1_000_000_000_021, on: 100, .entered(vcpuID: 0)),
      ])
    let reader = try PacketReader(bytes)
    #expect(
      reader.slices(on: "vCPU 1") == [
        "in guest 1000000000007-1000000000010", "exit 12 1000000000010-1000000000015",
        "in guest 1000000000015-1000000000021",
      ])
    #expect(reader.tracks.values.contains { $0.process.processName == "guest" })
    #expect(Set(reader.packets.map(\.trustedPacketSequenceID)) == [1])
  }

  @Test func `a journey is a flow from its sender by its wait and its handler to its EOI`() throws {
    let reader = try PacketReader(MadeUpTimeline(.perfetto).write("guest", [], [.injected(at: 500)]))
    let sent = try #require(reader.events(on: "IPIs sent", of: 0).first)
    #expect((sent.name, sent.time, sent.type) == ("0x50 to vCPU 1", 500, .instant))
    #expect(reader.slices(on: "waiting 0x50", of: 1) == ["0x50 from vCPU 0 500-600"])
    #expect(reader.slices(on: "handlers", of: 1) == ["0x50 600-1600"])
    let flow = try #require(sent.flows.first)
    let handlers = reader.events(on: "handlers", of: 1)
    #expect(handlers.first?.flows == [flow])
    #expect(handlers.last.map { ($0.name, $0.ends) } ?? ("", []) == ("EOI 0x50", [flow]))
    #expect(handlers.first?.annotations["injected, ns"] == 600)
  }

  @Test func `a handler that interrupts another lies within it`() throws {
    let reader = try PacketReader(
      MadeUpTimeline(.perfetto).write(
        "guest", [],
        [.injected(at: 0, vector: 0x30, served: 1000), .injected(at: 300, vector: 0x80, served: 200)]))
    #expect(reader.slices(on: "handlers", of: 1) == ["0x80 400-600", "0x30 100-1100"])
  }

  @Test func `IRR and ISR count what waits and what is served at each moment`() throws {
    let reader = try PacketReader(
      MadeUpTimeline(.perfetto).write(
        "guest", [], [.injected(at: 300, vector: 0x80, served: 200), .injected(at: 0, vector: 0x30, served: 1000)]))
    func counts(_ track: String) -> [[Int64]] {
      reader.events(on: track, of: 1).map { [Int64($0.time), $0.value] }
    }
    #expect(counts("IRR") == [[0, 1], [100, 0], [300, 1], [400, 0], [600, 0], [1100, 0]])
    #expect(counts("ISR") == [[0, 0], [100, 1], [300, 1], [400, 2], [600, 1], [1100, 0]])
  }

  @Test func `each source has its track, and inhibits are marks`() throws {
    var journeys: [InterruptJourney] = []
    for (number, source) in [
      InterruptSource.localAPIC(.timer), .message, .line(gsi: 5), .heldLine(pin: 3), .ipi(vcpu: nil),
    ].enumerated() {
      var journey = InterruptJourney.injected(at: Int64(number) * 10_000)
      journey.source = source
      journeys.append(journey)
    }
    let reader = try PacketReader(
      MadeUpTimeline(.perfetto).write(
        "guest",
        [
          event(77, on: 100, .inhibit(isSet: true, reason: 1, inhibits: 0x82)),
          event(78, on: 100, .inhibit(isSet: false, reason: 7, inhibits: 0)),
        ], journeys))
    #expect(reader.events(on: "local APIC", of: 1).map { "\($0.name) at \($0.time)" } == ["local timer 0x50 at 0"])
    #expect(reader.events(on: "messages").map(\.time) == [10_000])
    #expect(reader.events(on: "lines").map(\.time) == [20_000, 30_000])
    #expect(reader.events(on: "sources not seen").map(\.time) == [40_000])
    #expect(
      reader.events(on: "APICv inhibits").filter { $0.time > 0 }.map(\.name) == [
        "APICv: HYPERV set; in force: HYPERV, inhibit 7", "APICv: inhibit 7 lifted; none is in force",
      ])
  }

  @Test func `a timeline without entries and exits says so, and one that lost events too`() throws {
    let reader = try PacketReader(MadeUpTimeline(.perfetto).write("guest", [], [.injected(at: 0)], lost: 3))
    let notes = reader.events(on: "APICv inhibits").map(\.name)
    #expect(notes.contains { $0.contains("No kvm_entry and kvm_exit came") })
    #expect(notes.contains { $0.hasPrefix("3 events were lost") })
  }
}
