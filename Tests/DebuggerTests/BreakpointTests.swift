import Debugger
import KVM
import Support
import TestImages
import Testing
import VMM

/// Steps, breakpoints and watchpoints as a client of the protocol sees them.
@Suite(.needsKVM) struct BreakpointTests {
  @Test func `a step is one instruction, an access to a port included`() throws {
    let debugged = try DebuggedMachine(Code(.long).then([0x90]).out(0x61, to: 0x3f8).then([0x90]).debugExit(0))
    let client = try RemoteClient(to: debugged.address)
    var places: [UInt64] = []
    for _ in 0..<5 {
      let answer = try client.ask("vCont;s:1")
      #expect(answer.hasPrefix("T05thread:1;"), "after \(places)")
      places.append(try client.pc() - DebuggedMachine.start)
    }
    // nop; mov dx, 0x3f8; mov al, 0x61; out dx, al; nop
    #expect(places == [1, 5, 7, 8, 9])
    #expect(try client.ask("c") == "W00")
    #expect(debugged.machine.console.text == "a")
  }

  @Test func `the first step is one instruction whoever is quicker, gdb or the vCPU's thread`() throws {
    for _ in 0..<25 {
      let debugged = try DebuggedMachine(.straight)
      let client = try RemoteClient(to: debugged.address)
      #expect(try client.ask("vCont;s:1").hasPrefix("T05thread:1;"))
      #expect(try client.pc() == DebuggedMachine.start + 1)
      #expect(try client.ask("c") == "W00")
    }
  }

  @Test func `a breakpoint stops, is not seen in memory, and its byte is what the guest would have`() throws {
    let debugged = try DebuggedMachine(.straight)
    let client = try RemoteClient(to: debugged.address)
    _ = try client.ask("qSupported:swbreak+")
    #expect(try client.ask("Z0,100004,1") == "OK")
    #expect(try client.ask("m100000,8") == String(repeating: "90", count: 8))
    #expect(try debugged.machine.memory.read(8, at: DebuggedMachine.start)[4] == 0xcc)
    #expect(try client.ask("c").hasPrefix("T05swbreak:;thread:1;"))
    #expect(try client.pc() == DebuggedMachine.start + 4)
    // What is written over it comes when it goes; a part of the range beside it at once.
    #expect(try client.ask("M100003,3:909690") == "OK")
    #expect(try client.ask("m100003,3") == "909690")
    #expect(try debugged.machine.memory.read(3, at: DebuggedMachine.start + 3) == [0x90, 0xcc, 0x90])
    #expect(try client.ask("M100004,1:90") == "OK")
    #expect(try client.ask("z0,100004,1") == "OK")
    #expect(try debugged.machine.memory.read(8, at: DebuggedMachine.start) == [UInt8](repeating: 0x90, count: 8))
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a hardware breakpoint stops where it is`() throws {
    let debugged = try DebuggedMachine(.straight)
    let client = try RemoteClient(to: debugged.address)
    _ = try client.ask("qSupported:hwbreak+")
    #expect(try client.ask("Z1,100005,1") == "OK")
    #expect(try client.ask("c").hasPrefix("T05hwbreak:;thread:1;"))
    #expect(try client.pc() == DebuggedMachine.start + 5)
    #expect(try client.ask("z1,100005,1") == "OK")
    #expect(try client.ask("c") == "W00")
  }

  @Test func `real-mode code is stepped and stopped by its linear addresses`() throws {
    // At 1000:0000, which is 0x10000.
    let debugged = try DebuggedMachine(Code(.real).then([UInt8](repeating: 0x90, count: 8)).debugExit(0))
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.pc() == 0x1_0000)
    #expect(try client.ask("s").hasPrefix("T05thread:1;"))
    #expect(try client.pc() == 0x1_0001)
    #expect(try client.ask("m10000,2") == "9090")
    let answer = try client.ask("Z0,10003,1")
    #expect((answer == "OK") == (debugged.support.realModeINT3 != .goesToGuest))
    if answer != "OK" { #expect(answer.contains("gives INT3 in real mode to the guest")) }
    #expect(try client.ask("z0,10003,1") == "OK")
    #expect(try client.ask("Z1,10004,1") == "OK")
    #expect(try client.ask("c").hasPrefix("T05"))
    #expect(try client.pc() == 0x1_0004)
    #expect(try client.ask("z1,10004,1") == "OK")
    // Over the next two.
    #expect(try client.ask("P10=0600010000000000") == "OK")
    #expect(try debugged.machine.vcpus[0].registers().rip == 6)
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a fifth hardware breakpoint is refused with the reason`() throws {
    let debugged = try DebuggedMachine(.straight)
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
}
