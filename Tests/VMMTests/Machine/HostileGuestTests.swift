import TestImages
import Testing

@testable import VMM

/// Guests that do what none should: the machine ends as it should, and says how.
@Suite(.needsKVM) struct HostileGuestTests {
  private static func long(_ code: Code) -> [UInt8] { ELFImage(code: code.bytes).bytes }

  @Test func `a triple fault is a shutdown`() throws {
    // lidt [0x2000], which holds zeroes; ud2
    let run = try Run(Self.long(Code(.long).then([0x0f, 0x01, 0x1c, 0x25, 0, 0x20, 0, 0, 0x0f, 0x0b])))
    #expect(run.ending == "vCPU 0 shut down: a triple fault")
    #expect(try run.machine.reports().count == 1)
  }

  @Test(arguments: [
    (port: UInt16(0x64), value: UInt8(0xfe), resets: true), (0x64, 0xff, false), (0xcf9, 0x06, true), (0xcf9, 2, false),
  ])
  func `a reset through the PC's ports ends the machine, other values there do not`(
    port: UInt16, value: UInt8, resets: Bool
  ) throws {
    let run = try Run(Self.long(Code(.long).input(from: port).out(value, to: port).debugExit(0)))
    #expect(run.ending == (resets ? "vCPU 0 reset the machine" : "the guest wrote 0 to the debug exit"))
  }

  @Test func `ports that nobody claims read as ones and are counted`() throws {
    // in al, 0x80; mov [0x2000], al; in eax, 0x80; mov [0x2004], eax
    let code = Code(.long).out(1, to: 0x1234).input(from: 0x80).then([0x88, 0x04, 0x25, 0, 0x20, 0, 0])
      .then([0xed, 0x89, 0x04, 0x25, 4, 0x20, 0, 0]).debugExit(0)
    let run = try Run(Self.long(code))
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(try run.machine.memory.load(UInt8.self, at: 0x2000) == 0xff)
    #expect(try run.machine.memory.load(UInt32.self, at: 0x2004) == .max)
    let ports = run.machine.unclaimedAccesses[0]
    #expect(ports.bus == "port")
    #expect(ports.accesses.count == 3)
    #expect(
      ports.accesses.first.map { "\($0)" } == ["vCPU 0 wrote 1 byte at 0x1234", "vCPU 0 read 1 byte at 0x80"])
  }

  @Test func `memory that is none reads as ones and is counted`() throws {
    // mov eax, 0xd0000000; mov dword [rax], 7; mov rcx, [rax + 8]; mov [0x2000], rcx
    let code = Code(.long).loadEAX(0xd000_0000).then([0xc7, 0x00, 7, 0, 0, 0, 0x48, 0x8b, 0x48, 0x08])
      .then([0x48, 0x89, 0x0c, 0x25, 0, 0x20, 0, 0]).debugExit(0)
    let run = try Run(Self.long(code))
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(try run.machine.memory.load(UInt64.self, at: 0x2000) == .max)
    let memory = run.machine.unclaimedAccesses[1]
    #expect(memory.bus == "memory")
    #expect(
      memory.accesses.first.map { "\($0)" }
        == ["vCPU 0 wrote 4 bytes at 0xd0000000", "vCPU 0 read 8 bytes at 0xd0000008"])
  }

  @Test func `a string of bytes reaches the console whole, and a string read is filled`() throws {
    var image = ELFImage(
      code: Code(.long).outs(1000, at: 0x3000, to: 0x3f8).ins(1000, to: 0x4001, from: 0x3fd)
        .debugExit(0).bytes)
    let text = (0..<1000).map { UInt8(0x20 + $0 % 64) }
    image.segments.append(ELFImage.Segment(at: 0x3000, text))
    let run = try Run(image.bytes)
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(Array(run.machine.console.text.utf8) == text)
    // The line status register, a thousand times and not once more.
    #expect(try run.machine.memory.read(1002, at: 0x4000) == [0] + [UInt8](repeating: 0x60, count: 1000) + [0])
  }

  @Test func `a string of words reaches its port word by word`() throws {
    // mov dx, 0x70; mov esi, 0x3000; mov ecx, 4; cld; rep outsw
    let code = Code(.long).then([0x66, 0xba, 0x70, 0, 0xbe, 0, 0x30, 0, 0, 0xb9, 4, 0, 0, 0, 0xfc, 0x66, 0xf3, 0x6f])
      .debugExit(0)
    let run = try Run(Self.long(code))
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(run.machine.unclaimedAccesses[0].accesses.count == 4)
    #expect(run.machine.unclaimedAccesses[0].accesses.first.map(\.width) == [2])
  }

  @Test func `a guest that floods the console is cut at its limit`() throws {
    let flood = Code(.long).outs(4096, at: 0x3000, to: 0x3f8).forever()
    let run = try Run(Self.long(flood), limit: .milliseconds(500), console: Console(limit: 100))
    #expect(run.ending == "the time limit passed")
    #expect(run.machine.console.text.utf8.count == 100)
    #expect(run.machine.console.droppedBytes > 0)
  }

  @Test func `a guest that claims more records than there are and points anywhere is read within bounds`() throws {
    // mov rax, [rdi + 72] (the log); claimed = -1; record 0: sequence 1, mark, a label at 0xffffffff of length -1
    let code = Code(.long).then([0x48, 0x8b, 0x47, 72, 0x48, 0xc7, 0x00, 0xff, 0xff, 0xff, 0xff])
      .then([0xc7, 0x40, 64, 1, 0, 0, 0, 0xc6, 0x40, 68, 3])
      .then([0xc7, 0x40, 88, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x40, 92, 0xff, 0xff, 0xff, 0xff]).debugExit(0)
    let run = try Run(Self.long(code)) { $0.logCapacity = 4 }
    #expect(run.records.map(\.event) == [.mark("(label outside of memory)")])
    #expect(run.machine.log.droppedRecords == UInt64.max - 4)
  }

  @Test func `a guest that breaks its boot page and its page tables harms itself alone`() throws {
    // mov ecx, 0x3000; mov al, 0xff; push rdi; rep stosb over the boot page; then the page tables are gone: cr3 = 0
    let code = Code(.long).then([0xb9, 0x00, 0x04, 0, 0, 0xb0, 0xff, 0xf3, 0xaa, 0x31, 0xc0, 0x0f, 0x22, 0xd8]).spin()
    let run = try Run(Self.long(code), limit: .seconds(5))
    #expect(!run.outcome.isSuccess)
    #expect(run.elapsed < .seconds(5) + slack)
    #expect(run.records.isEmpty)
  }

  @Test(arguments: [UInt32(0), 5, 0xff, 0xffff_ff04, 0x0000_0104])
  func `a command that means nothing, or a request that was never filled in, changes nothing`(word: UInt32) throws {
    let run = try Run(Self.long(Code(.long).out(word: word, to: 0x4c50).debugExit(0)))
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(run.machine.progress.misunderstoodCommands == (word & 0xff == 4 ? 0 : 1))
  }

  @Test func `a time stamp that no guest can have is a time all the same`() throws {
    let clock = GuestClock(kHz: 1, tsc: 1000, host: .now)
    #expect(clock.instant(.max) > .now + .seconds(86_400 * 365))
    #expect(clock.instant(0) == clock.instant(1000))
    #expect(clock.instant(3000) - clock.instant(1000) == .seconds(2))
  }
}
