import Debugger
import KVM
import Support
import TestImages
import Testing
import VMM

/// The protocol as a client sees it, with a guest behind it.
@Suite(.needsKVM) struct SessionTests {
  /// `nop` eight times from 0x100000 on, then the end.
  private let straight = Code(.long).then([UInt8](repeating: 0x90, count: 8)).debugExit(0)
  private let start: UInt64 = 0x10_0000

  private func hex(_ bytes: [UInt8]) -> String { Hexadecimal.text(bytes) }

  private func pc(_ client: RemoteClient) throws -> UInt64 {
    let bytes = try #require(Hexadecimal.bytes(try client.ask("p10")))
    return bytes.littleEndian
  }

  @Test func `the guest stands before its first instruction, and goes on when it is told to`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("qSupported:swbreak+;hwbreak+").contains("PacketSize=4000"))
    #expect(try client.ask("?").hasPrefix("T05thread:1;"))
    #expect(try pc(client) == start)
    #expect(try client.ask("c") == "W00")
    #expect(try client.isClosed())
    #expect(debugged.end() == "the guest wrote 0 to the debug exit")
  }

  @Test func `who only looks whether anybody listens does not let the guest go`() throws {
    let debugged = try DebuggedMachine(straight)
    for _ in 0..<3 { _ = try RemoteClient(to: debugged.address) }
    let client = try RemoteClient(to: debugged.address)
    #expect(try pc(client) == start)
    #expect(!debugged.notesSoFar.contains { $0.contains("has gone") })
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a status other than 0 and a triple fault are told as a program's end`() throws {
    let failed = try DebuggedMachine(Code(.long).debugExit(42))
    #expect(try RemoteClient(to: failed.address).ask("c") == "W2a")
    let crashed = try DebuggedMachine(Code(.long).then([0x0f, 0x01, 0x1c, 0x25, 0, 0x20, 0, 0, 0x0f, 0x0b]))
    #expect(try RemoteClient(to: crashed.address).ask("vCont;c") == "X0b")
  }

  @Test func `a step is one instruction, an access to a port included`() throws {
    let debugged = try DebuggedMachine(Code(.long).then([0x90]).out(0x61, to: 0x3f8).then([0x90]).debugExit(0))
    let client = try RemoteClient(to: debugged.address)
    var places: [UInt64] = []
    for _ in 0..<5 {
      let answer = try client.ask("vCont;s:1")
      #expect(answer.hasPrefix("T05thread:1;"), "after \(places)")
      places.append(try pc(client) - start)
    }
    // nop; mov dx, 0x3f8; mov al, 0x61; out dx, al; nop
    #expect(places == [1, 5, 7, 8, 9])
    #expect(try client.ask("c") == "W00")
    #expect(debugged.machine.console.text == "a")
  }

  @Test func `a breakpoint stops, is not seen in memory, and its byte is what the guest would have`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    _ = try client.ask("qSupported:swbreak+")
    #expect(try client.ask("Z0,100004,1") == "OK")
    #expect(try client.ask("m100000,8") == String(repeating: "90", count: 8))
    #expect(try debugged.machine.memory.read(8, at: start)[4] == 0xcc)
    #expect(try client.ask("c").hasPrefix("T05swbreak:;thread:1;"))
    #expect(try pc(client) == start + 4)
    // What is written over it comes when it goes; a part of the range beside it at once.
    #expect(try client.ask("M100003,3:909690") == "OK")
    #expect(try client.ask("m100003,3") == "909690")
    #expect(try debugged.machine.memory.read(3, at: start + 3) == [0x90, 0xcc, 0x90])
    #expect(try client.ask("M100004,1:90") == "OK")
    #expect(try client.ask("z0,100004,1") == "OK")
    #expect(try debugged.machine.memory.read(8, at: start) == [UInt8](repeating: 0x90, count: 8))
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a hardware breakpoint stops where it is`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    _ = try client.ask("qSupported:hwbreak+")
    #expect(try client.ask("Z1,100005,1") == "OK")
    #expect(try client.ask("c").hasPrefix("T05hwbreak:;thread:1;"))
    #expect(try pc(client) == start + 5)
    #expect(try client.ask("z1,100005,1") == "OK")
    #expect(try client.ask("c") == "W00")
  }

  @Test func `real-mode code is stepped and stopped by its linear addresses`() throws {
    // At 1000:0000, which is 0x10000.
    let debugged = try DebuggedMachine(Code(.real).then([UInt8](repeating: 0x90, count: 8)).debugExit(0))
    let client = try RemoteClient(to: debugged.address)
    #expect(try pc(client) == 0x1_0000)
    #expect(try client.ask("s").hasPrefix("T05thread:1;"))
    #expect(try pc(client) == 0x1_0001)
    #expect(try client.ask("m10000,2") == "9090")
    let answer = try client.ask("Z0,10003,1")
    #expect((answer == "OK") == (debugged.support.realModeINT3 != .goesToGuest))
    if answer != "OK" { #expect(answer.contains("gives INT3 in real mode to the guest")) }
    #expect(try client.ask("z0,10003,1") == "OK")
    #expect(try client.ask("Z1,10004,1") == "OK")
    #expect(try client.ask("c").hasPrefix("T05"))
    #expect(try pc(client) == 0x1_0004)
    #expect(try client.ask("z1,10004,1") == "OK")
    // Over the next two.
    #expect(try client.ask("P10=0600010000000000") == "OK")
    #expect(try debugged.machine.vcpus[0].registers().rip == 6)
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a fifth hardware breakpoint is refused with the reason`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    for address in 0..<4 { #expect(try client.ask("Z1,10000\(address),1") == "OK") }
    #expect(try client.ask("Z1,100004,1") == "E.the processor has 4 debug registers, of 8 aligned bytes at most")
    #expect(try client.ask("Z3,1000,4") == "")
    debugged.stop()
  }

  @Test func `a watchpoint stops after the access, or is refused by the back end's name`() throws {
    // mov byte [0x8000], 1
    let debugged = try DebuggedMachine(
      Code(.long).then([0xc6, 0x04, 0x25, 0x00, 0x80, 0x00, 0x00, 0x01, 0x90]).debugExit(0))
    let client = try RemoteClient(to: debugged.address)
    let answer = try client.ask("Z2,8000,4")
    if debugged.support.stopsAtData {
      #expect(answer == "OK")
      #expect(try client.ask("c").hasPrefix("T05watch:8000;thread:1;"))
      #expect(try client.ask("z2,8000,4") == "OK")
    } else {
      #expect(answer.hasPrefix("E.\(debugged.support.backEnd) does not stop at data breakpoints"))
      #expect(debugged.notesSoFar.contains { $0.hasPrefix(debugged.support.backEnd) })
    }
    #expect(try client.ask("c") == "W00")
  }

  @Test func `registers are written, and what cannot be is refused`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("P0=efcdab8967452301") == "OK")
    #expect(try client.ask("p0") == "efcdab8967452301")
    #expect(try debugged.machine.vcpus[0].registers().rax == 0x0123_4567_89ab_cdef)
    #expect(try client.ask("P28=" + String(repeating: "11", count: 16)) == "OK")
    #expect(try debugged.machine.vcpus[0].fpu().xmm.prefix(17) == [UInt8](repeating: 0x11, count: 16) + [0])
    #expect(try client.ask("P39=0010000000000000") == "OK")
    #expect(try debugged.machine.vcpus[0].specialRegisters().fs.base == 0x1000)
    #expect(try client.ask("P12=10000000") == "E.cs cannot be changed from here")
    #expect(try client.ask("P0=00") == "E22")
    #expect(try client.ask("pffff") == "E22")
    let all = try client.ask("g")
    #expect(try client.ask("G" + all) == "OK")
    #expect(try client.ask("g") == all)
    #expect(try client.ask("c") == "W00")
  }

  @Test func `memory is read by the guest's page tables, as far as they go`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("m100000,4") == "90909090")
    // 64 MiB of memory, of which the page tables map 4 GiB.
    #expect(try client.ask("m3fffffe,8") == "0000")
    #expect(try client.ask("m4000000,4") == "E14")
    #expect(try client.ask("m100000000,4") == "E14")
    #expect(try client.ask("mffffffffffffffff,4") == "E14")
    #expect(try client.ask("M3fffffe,4:00000000") == "E14")
    #expect(try client.ask("X100001,2:\u{1}\u{2}") == "OK")
    #expect(try client.ask("m100000,4") == "90010290")
    #expect(try client.ask("m100000,0") == "")
    debugged.stop()
  }

  @Test func `threads are vCPUs, and one may go on alone`() throws {
    let spin = Code(.long).spin()
    let debugged = try DebuggedMachine(spin) {
      $0.vcpus = 3
      $0.start = .direct
    }
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("qfThreadInfo") == "m1,2,3")
    #expect(try client.ask("qsThreadInfo") == "l")
    #expect(try client.ask("qC") == "QC1")
    #expect(try client.ask("T3") == "OK")
    #expect(try client.ask("T4") == "E22")
    #expect(try client.ask("Hg4") == "E22")
    #expect(try client.ask("Hg3") == "OK")
    let description = try #require(Hexadecimal.bytes(try client.ask("qThreadExtraInfo,3")))
    #expect(String(decoding: description, as: UTF8.self) == "vCPU 2, APIC id 2, runnable")
    // The second alone: the others stay where they are.
    #expect(try client.ask("vCont;s:2").contains("thread:2;"))
    #expect(try client.ask("vCont;t") == "E.no thread is to go on")
    client.send(Packet.framed(Array("vCont;c".utf8)))
    client.send([0x03])
    #expect(try client.packet().hasPrefix("T02"))
    debugged.stop()
    #expect(debugged.end() == "the machine was stopped from outside")
  }

  @Test func `while the guest runs, Ctrl-C stops it and other packets are told so`() throws {
    let debugged = try DebuggedMachine(Code(.long).spin())
    let client = try RemoteClient(to: debugged.address)
    client.send(Packet.framed(Array("c".utf8)))
    #expect(try client.ask("g") == "E.the guest runs: interrupt it first")
    client.send([0x03])
    #expect(try client.packet().hasPrefix("T02thread:1;"))
    #expect(try pc(client) == start)
    // Nothing more comes of a second one: the next answer is the next packet's.
    client.send([0x03])
    #expect(try client.ask("qC") == "QC1")
    client.send(Packet.framed(Array("k".utf8)))
    #expect(debugged.end() == "the machine was stopped from outside")
  }

  @Test func `time that the debugger takes is not the guest's`() throws {
    let limit = Duration.milliseconds(300)
    let debugged = try DebuggedMachine(Code(.long).spin(), limit: limit)
    let client = try RemoteClient(to: debugged.address)
    let began = ContinuousClock.now
    while ContinuousClock.now < began + limit * 3 { #expect(try client.ask("qC") == "QC1") }
    #expect(debugged.machine.stop.reason == nil)
    #expect(debugged.machine.debug.heldTime >= limit * 3)
    #expect(try client.ask("c") == "X0e")
    #expect(debugged.end() == "the time limit passed")
  }

  @Test(arguments: [true, false])
  func `a debugger that goes leaves the guest as it was`(detaches: Bool) throws {
    let debugged = try DebuggedMachine(straight)
    do {
      let client = try RemoteClient(to: debugged.address)
      #expect(try client.ask("Z0,100004,1") == "OK")
      if detaches { #expect(try client.ask("D") == "OK") }
    }
    #expect(debugged.end() == "the guest wrote 0 to the debug exit")
    #expect(try debugged.machine.memory.read(8, at: start) == [UInt8](repeating: 0x90, count: 8))
  }

  @Test func `a second debugger is refused, and is welcome when the first has gone`() throws {
    let debugged = try DebuggedMachine(Code(.long).spin())
    do {
      let first = try RemoteClient(to: debugged.address)
      #expect(try first.ask("qC") == "QC1")
      #expect(try RemoteClient(to: debugged.address).isClosed())
      #expect(try first.ask("D") == "OK")
      #expect(debugged.waitForNote("gdb has gone"))
    }
    let second = try RemoteClient(to: debugged.address)
    #expect(try second.ask("?").hasPrefix("T05thread:1;"))
    #expect(try pc(second) == start)
    debugged.stop()
    #expect(try second.isClosed())
    _ = debugged.end()
  }
}
