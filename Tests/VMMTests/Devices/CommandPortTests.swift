import GuestContract
import SystemPackage
import TestImages
import Testing

@testable import VMM

/// Requests put where a guest puts them, and the command written as a guest writes it.
@Suite(.needsKVM) struct CommandPortTests {
  private let machine: Machine

  init() throws {
    let image = GuestImage(name: "spin", bytes: ELFImage(code: Code(.long).spin().bytes).bytes)
    machine = try Machine.testing(image) { $0.vcpus = 2 }
  }

  private func command(_ word: UInt32, vcpu: Int = 0) {
    machine.ports.write(UInt64(word), at: CommandPort.ports.lowerBound, width: 4, vcpu: vcpu)
  }

  /// What the host answers.
  private func ask(
    _ kind: RequestKind, gsi: UInt32 = 0, address: UInt64 = 0xfee0_0000, data: UInt32 = 0x30, level: UInt32 = 0,
    vcpu: Int = 0
  ) throws -> Int64 {
    var request = HostRequest()
    request.kind = kind
    request.gsi = gsi
    request.address = address
    request.data = data
    request.level = level
    request.result = 0x5a5a
    let place = machine.layout.requests + UInt64(32 * vcpu)
    try machine.memory.storeStructure(request, at: place)
    command(Command.request.rawValue, vcpu: vcpu)
    return try machine.memory.loadStructure(HostRequest.self, at: place).result
  }

  private static func kind(_ number: UInt32) throws -> RequestKind { try #require(RequestKind(rawValue: number)) }

  private static func failure(_ errno: Errno) -> Int64 { -Int64(errno.rawValue) }

  @Test func `a request of unknown kind is an invalid argument`() throws {
    #expect(try ask(try Self.kind(0)) == Self.failure(.invalidArgument))
    #expect(try ask(try Self.kind(.max), vcpu: 1) == Self.failure(.invalidArgument))
  }

  @Test(arguments: [4096, 5000, UInt32.max])
  func `a GSI that no route can have is an invalid argument`(gsi: UInt32) throws {
    #expect(try ask(.routeMSI, gsi: gsi) == Self.failure(.invalidArgument))
    #expect(try ask(.triggerIRQFD, gsi: gsi) == Self.failure(.invalidArgument))
  }

  @Test func `a port takes one eventfd, and a guest 64 of them`() throws {
    #expect(try ask(.assignIOEvent, data: 0x4c60) == 0)
    #expect(try ask(.assignIOEvent, data: 0x4c60) == Self.failure(.fileExists))
    #expect(try ask(.assignIOEvent, gsi: 24, data: 0x4c64, level: 1) == 0)
    #expect(try ask(.assignIOEvent, gsi: 4096, data: 0x4c68, level: 1) == Self.failure(.invalidArgument))
    for port in UInt32(0)..<62 { #expect(try ask(.assignIOEvent, data: 0x5000 + 4 * port) == 0) }
    #expect(try ask(.assignIOEvent, data: 0x6000) == Self.failure(.tooManyOpenFiles))
  }

  @Test(arguments: [0, 5, UInt32.max >> 8])
  func `a mark that is told of and not in the log is none`(index: UInt32) {
    machine.progress.awaitMark("")
    command(Command.marked.rawValue | index << 8)
    #expect(!machine.progress.isReached(""))
    #expect(machine.progress.misunderstoodCommands == 1)
  }

  @Test func `a line that leads nowhere is ignored`() throws {
    #expect(try ask(.setLine, gsi: 100, level: 1) == -1)
    #expect(try ask(.setLine, gsi: .max, level: 1) == -1)
  }

  @Test func `a message to nobody is blocked, one that KVM cannot route is an invalid argument`() throws {
    #expect(try ask(.signalMSI, address: 0xfee0_9000) == 0)
    // With 32-bit ids the low byte of the address's upper half is reserved (KVM API, KVM_CAP_X2APIC_API).
    #expect(try ask(.routeMSI, gsi: 24, address: 0x0000_0001_fee0_0000) == Self.failure(.invalidArgument))
  }

  @Test func `a route that KVM refuses leaves the others as they are`() throws {
    #expect(try ask(.routeMSI, gsi: 24) == 0)
    #expect(try ask(.routeMSI, gsi: 25, address: 0x0000_0001_fee0_0000) < 0)
    #expect(try ask(.routeMSI, gsi: 26) == 0)
    #expect(try ask(.triggerIRQFD, gsi: 24) == 0)
  }

  @Test func `a guest gets 64 irqfds and no more`() throws {
    for gsi in 24..<88 as Range<UInt32> { #expect(try ask(.triggerIRQFD, gsi: gsi) == 0) }
    #expect(try ask(.triggerIRQFD, gsi: 88) == Self.failure(.tooManyOpenFiles))
    #expect(try ask(.triggerIRQFD, gsi: 24) == 0)
  }

  @Test func `the answer goes to the vCPU that asked`() throws {
    #expect(try ask(.routeMSI, gsi: 24, vcpu: 1) == 0)
    #expect(try machine.memory.loadStructure(HostRequest.self, at: machine.layout.requests).result == 0)
    #expect(try ask(try Self.kind(99), vcpu: 0) < 0)
    #expect(try machine.memory.loadStructure(HostRequest.self, at: machine.layout.requests + 32).result == 0)
  }

  @Test func `progress is what the guest says last, and nonsense is counted`() {
    #expect(!machine.progress.isReady)
    command(Command.ready.rawValue)
    command(Command.mark.rawValue | 0xabcdef << 8)
    for word in [0, 5, 0xff, 0xffff_ff00] as [UInt32] { command(word) }
    #expect(machine.progress.isReady)
    #expect(machine.progress.mark == 0xabcdef)
    #expect(machine.progress.misunderstoodCommands == 4)
    #expect(machine.stop.reason == nil)
    #expect(machine.ports.read(at: CommandPort.ports.lowerBound, width: 4, vcpu: 0) == 0)
  }

  @Test func `the first end counts`() {
    command(Command.finish.rawValue | 7 << 8, vcpu: 1)
    command(Command.finish.rawValue)
    #expect(machine.stop.reason.map { "\($0)" } == "the guest finished with status 7 on vCPU 1")
  }
}
