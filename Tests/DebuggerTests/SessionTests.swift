import Debugger
import KVM
import Support
import TestImages
import Testing
import VMM

/// The protocol as a client sees it, with a guest behind it.
@Suite(.needsKVM) struct SessionTests {
  private func hex(_ bytes: [UInt8]) -> String { Hexadecimal.text(bytes) }

  @Test func `the guest stands before its first instruction, and goes on when it is told to`() throws {
    let debugged = try DebuggedMachine(.straight)
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("qSupported:swbreak+;hwbreak+").contains("PacketSize=4000"))
    #expect(try client.ask("?").hasPrefix("T05thread:1;"))
    #expect(try client.pc() == DebuggedMachine.start)
    #expect(try client.ask("c") == "W00")
    #expect(try client.isClosed())
    #expect(debugged.end() == "the guest wrote 0 to the debug exit")
  }

  @Test func `who only looks whether anybody listens does not let the guest go`() throws {
    let debugged = try DebuggedMachine(.straight)
    for _ in 0..<3 { _ = try RemoteClient(to: debugged.address) }
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.pc() == DebuggedMachine.start)
    #expect(!debugged.notesSoFar.contains { $0.contains("has gone") })
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a status other than 0 and a triple fault are told as a program's end`() throws {
    let failed = try DebuggedMachine(Code(.long).debugExit(42))
    #expect(try RemoteClient(to: failed.address).ask("c") == "W2a")
    let crashed = try DebuggedMachine(Code(.long).then([0x0f, 0x01, 0x1c, 0x25, 0, 0x20, 0, 0, 0x0f, 0x0b]))
    #expect(try RemoteClient(to: crashed.address).ask("vCont;c") == "X0b")
  }

  @Test func `registers are written, and what cannot be is refused`() throws {
    let debugged = try DebuggedMachine(.straight)
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
    let debugged = try DebuggedMachine(.straight)
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
    #expect(try client.pc() == DebuggedMachine.start)
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
    let debugged = try DebuggedMachine(.straight)
    do {
      let client = try RemoteClient(to: debugged.address)
      #expect(try client.ask("Z0,100004,1") == "OK")
      if detaches { #expect(try client.ask("D") == "OK") }
    }
    #expect(debugged.end() == "the guest wrote 0 to the debug exit")
    #expect(try debugged.machine.memory.read(8, at: DebuggedMachine.start) == [UInt8](repeating: 0x90, count: 8))
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
    #expect(try second.pc() == DebuggedMachine.start)
    debugged.stop()
    #expect(try second.isClosed())
    _ = debugged.end()
  }
}
