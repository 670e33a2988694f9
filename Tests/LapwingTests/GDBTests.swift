import Foundation
import TestImages
import Testing

/// Guests under GNU gdb itself.
@Suite(.needsKVM, .needsGDB) struct GDBTests {
  private func spinning() throws -> GuestFile {
    try GuestFile(ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes)
  }

  @Test func `a guest is stopped at a line, stepped, looked at, and goes on to its end`() throws {
    let symbols = try SymbolFile("hello")
    let debugged = try DebuggedProgram(["run", "hello"])
    let output = try debugged.gdb(
      [
        "info registers rip", "break hello.swift:10", "continue", "backtrace", "next", "info registers rip cs eflags",
        "print $cr3 != 0", "x/2xb $pc", "stepi", "x/i $pc", "set $r15 = 0x1234", "print $r15", "print $mxcsr",
        "set $r15 = 0", "continue",
      ], symbols: symbols.path)
    #expect(output.contains("0x101000 <_start>"), "\(output)")
    #expect(output.contains("Breakpoint 1, main () at Guests/hello.swift:10"), "\(output)")
    #expect(output.contains("#0  main () at Guests/hello.swift:10"), "\(output)")
    #expect(output.contains("11\t  expect("), "\(output)")
    // A step keeps the interrupt that is on its way out.
    #expect(!output.contains("vectors ()"), "\(output)")
    #expect(output.contains("$1 = 1"), "\(output)")
    #expect(output.contains("$2 = 4660"), "\(output)")
    #expect(output.contains("$3 = [ IM DM ZM OM UM PM ]") || output.contains("$3 = [ ]"), "\(output)")
    #expect(output.contains("exited normally"), "\(output)")
    let result = try debugged.program.result()
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.hasPrefix("Hello from ring 0.\n"))
    #expect(!FileManager.default.fileExists(atPath: debugged.socket))
  }

  @Test func `threads are vCPUs, from the first instruction in real mode on`() throws {
    let symbols = try SymbolFile("ipi")
    let debugged = try DebuggedProgram(["run", "ipi", "--vcpus", "2"])
    let output = try debugged.gdb(
      [
        "info threads", "hbreak trampoline", "continue", "info threads", "stepi", "delete", "break application",
        "continue", "thread 1", "stepi", "thread apply all print $cs", "delete", "continue",
      ], symbols: symbols.path)
    #expect(output.contains("Thread 2 (vCPU 1, APIC id 1, uninitialized)"), "\(output)")
    #expect(output.contains("Thread 2 hit Breakpoint 1, trampoline ()"), "\(output)")
    #expect(output.contains("Thread 2 (vCPU 1, APIC id 1, runnable)"), "\(output)")
    #expect(output.contains("Thread 2 hit Breakpoint 2, application () at Guests/ipi.swift"), "\(output)")
    #expect(output.contains("exited normally"), "\(output)")
    #expect(try debugged.program.result().status == 0)
  }

  @Test func `Ctrl-C stops a guest that runs, and after detach it runs on`() throws {
    let file = try spinning()
    let debugged = try DebuggedProgram(["run", file.path, "--timeout", "10m"])
    let gdb = try GDB(["continue", "info registers rip", "x/i $pc", "detach"], on: debugged.socket)
    #expect(debugged.program.wait { debugged.program.outputSoFar.contains("up\n") })
    #expect(gdb.interrupt(), "\(gdb.outputSoFar)")
    let output = gdb.output()
    #expect(output.contains("jmp"), "\(output)")
    #expect(output.contains("detached"), "\(output)")
    // Another may come.
    let second = try debugged.gdb(["x/i $pc"])
    #expect(second.contains("jmp"), "\(second)")
    debugged.program.signal(SIGTERM)
    let result = try debugged.program.result()
    #expect(result.status == 143)
    #expect(result.output.contains("the machine was stopped from outside"))
    #expect(result.errors.contains("gdb: gdb has gone, and the guest goes on"))
  }

  @Test func `monitor says what inspect does`() throws {
    let symbols = try SymbolFile("ioapic")
    let debugged = try DebuggedProgram(["run", "ioapic"])
    let output = try debugged.gdb(
      [
        "break ioapic.swift:12", "continue", "monitor help", "monitor lapic", "monitor ioapic", "monitor pic",
        "monitor next", "monitor support", "monitor step-interrupts", "monitor step-interrupts on",
        "monitor step-interrupts", "monitor frobnicate", "kill",
      ], symbols: symbols.path)
    for words in [
      "monitor lapic ", "vCPU 0: runnable", "LVT_TIMER", "IOAPIC: IOAPICID", "PIC: asks for", "next   ", "single steps",
      "Interrupts may come into single steps.", "There is no such command",
    ] {
      #expect(output.contains(words), "\(words): \(output)")
    }
    let result = try debugged.program.result()
    #expect(result.status == 1)
    #expect(result.output.contains("the machine was stopped from outside"))
  }

  @Test func `memory is watched, by stepping where the processor does not stop at it`() throws {
    // mov byte [0x9000], 5; nop
    let file = try GuestFile(
      ELFImage(code: Code(.long).then([0x90, 0xc6, 0x04, 0x25, 0, 0x90, 0, 0, 5, 0x90]).debugExit(0).bytes).bytes)
    let debugged = try DebuggedProgram(["run", file.path])
    let output = try debugged.gdb([
      "set can-use-hw-watchpoints 0", "watch *(char *) 0x9000", "continue", "print $pc", "delete", "continue",
    ])
    #expect(output.contains("New value = 5"), "\(output)")
    #expect(output.contains("0x100009"), "\(output)")
    #expect(output.contains("exited normally"), "\(output)")
    #expect(try debugged.program.result().status == 0)
  }

  @Test func `a guest that has been restored is debugged too`() throws {
    let state = FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString).json").path
    defer { for file in [state, state + ".memory"] { try? FileManager.default.removeItem(atPath: file) } }
    #expect(try Program.run(["snapshot", "timer", "--at", "4ms", "-o", state, "--quiet"]).status == 0)
    let symbols = try SymbolFile("timer")
    let debugged = try DebuggedProgram(["restore", state])
    let output = try debugged.gdb(
      ["info threads", "x/i $pc", "stepi", "monitor lapic", "detach"], symbols: symbols.path)
    #expect(output.contains("vCPU 0, APIC id 0"), "\(output)")
    #expect(output.contains("LVT_TIMER"), "\(output)")
    #expect(output.contains("detached"), "\(output)")
    // The guest's own time has gone on while it stood, which its checks may see; it ends by itself.
    let result = try debugged.program.result()
    #expect([0, 1].contains(result.status))
    #expect(result.output.contains("the guest finished"), "\(result.output)")
  }

  @Test func `a guest's symbols are of the image that is booted`() throws {
    let symbols = try SymbolFile("hello")
    let result = try Program.run(["run", symbols.path])
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("Hello from ring 0.\n"))
  }
}
