import Foundation
import TestImages
import Testing

/// Guests that wait for what cannot come.
@Suite(.needsKVM) struct IdleTests {
  /// The time limit is for a failure of these tests: none of them waits for it otherwise.
  private func run(_ code: Code, _ options: [String] = []) throws -> Program.Result {
    let file = try GuestFile(ELFImage(code: code.bytes).bytes)
    return try Program.run(["run", file.path, "--timeout", "60s"] + options)
  }

  private static let haltWithInterrupts = Code(.long).then([0xfb, 0xf4, 0xeb, 0xfd])

  @Test func `a guest that halts with interrupts off is ended, and told why`() throws {
    let result = try run(Code(.long).halt())
    #expect(result.status == 1)
    #expect(result.output.contains("every vCPU waits, and nothing can wake one: vCPU 0 is halted with interrupts off"))
  }

  @Test func `so is one with interrupts on and no timer, and a processor that nobody started`() throws {
    let result = try run(Self.haltWithInterrupts, ["--vcpus", "2"])
    #expect(result.status == 1)
    #expect(result.output.contains("vCPU 0 is halted with interrupts on; vCPU 1 waits for INIT and SIPI"))
  }

  @Test func `a PIT whose ticks a masked LINT0 stops is named`() throws {
    // Counter 0 as a rate generator, line 0 of the PIC unmasked at vectors from 0x20 on.
    var code = Code(.long)
    let writes: [(UInt16, UInt8)] = [
      (0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0xfe), (0x43, 0x34), (0x40, 0x9c), (0x40, 0x2e),
    ]
    for (port, value) in writes { code = code.out(value, to: port) }
    // mov dword [0xfee00350], 0x10000 through RBX: LINT0 masked; 0x1ff to the SVR at 0xf0.
    code = code.then([0xbb, 0x00, 0x00, 0xe0, 0xfe, 0xc7, 0x83, 0x50, 0x03, 0, 0, 0, 0, 1, 0])
      .then([0xc7, 0x83, 0xf0, 0, 0, 0, 0xff, 0x01, 0, 0, 0xfb, 0xf4, 0xeb, 0xfd])
    let result = try run(code, ["--apic", "xapic"])
    #expect(result.status == 1)
    #expect(result.output.contains("the PIT counts and wakes none"))
    #expect(result.output.contains("no vCPU has an unmasked ExtINT at LINT0"))
  }

  @Test func `so is one of the unit tests' PC, and it is told where it stood`() throws {
    let file = try GuestFile(MultibootImage(code: Code(.protected).halt().bytes).bytes)
    let result = try Program.run(["run", file.path, "--machine", "unittest", "--timeout", "60s"])
    #expect(result.status == 1)
    #expect(result.output.contains("nothing can wake one: vCPU 0 is halted with interrupts off"))
    #expect(result.output.contains("where it stood"))
  }

  @Test func `a guest that sleeps until its timer fires is left alone`() throws {
    let result = try Program.run(["run", "timer", "--timeout", "60s"])
    #expect(result.status == 0)
    #expect(!result.output.contains("every vCPU waits"))
    #expect(result.errors == "")
  }

  @Test func `a vCPU that spins while another is halted is not waiting`() throws {
    let result = try run(Code(.long).spin(), ["--vcpus", "2", "--timeout", "500ms"])
    #expect(result.status == 124)
  }
}
