import Foundation
import Reports
import TestImages
import Testing

/// How guests end, as a script sees it.
@Suite(.needsKVM) struct EndingTests {
  private func run(_ code: Code, _ options: [String] = []) throws -> Program.Result {
    let file = try GuestFile(ELFImage(code: code.bytes).bytes)
    let result = try Program.run(["run", file.path] + options)
    #expect(result.errors == "")
    #expect(!result.output.contains("\u{1b}"))
    return result
  }

  @Test func `a guest that hangs ends with 124, and every vCPU's registers and local APIC are shown`() throws {
    let code = Code(.long).loadEAX(0x1234_abcd).spin()
    let result = try run(code, ["--timeout", "300ms", "-c", "2", "--start", "direct"])
    #expect(result.status == 124)
    #expect(result.output.contains("FAILED; the time limit passed"))
    for vcpu in 0...1 { #expect(result.output.contains("vCPU \(vcpu): runnable")) }
    #expect(result.output.ranges(of: "rip 0x0000000000100005").count == 2)
    #expect(result.output.ranges(of: "rax 0x000000001234abcd").count == 2)
    #expect(result.output.contains("local APIC 0: xAPIC, disabled by software"))
    #expect(result.output.contains("local APIC 1: xAPIC, disabled by software"))
    #expect(result.output.ranges(of: "IRR {}, ISR {}").count == 2)
  }

  @Test func `a triple fault ends with 1`() throws {
    let result = try run(Code(.long).then([0x0f, 0x01, 0x1c, 0x25, 0, 0x20, 0, 0, 0x0f, 0x0b]))
    #expect(result.status == 1)
    #expect(result.output.contains("FAILED; vCPU 0 shut down: a triple fault"))
    #expect(result.output.contains("rip 0x"))
  }

  @Test func `a debug exit with 0 is success, with another value it ends with 1 and shows it`() throws {
    let passed = try run(Code(.long).print("done\n").debugExit(0))
    #expect(passed.status == 0)
    #expect(passed.output.hasPrefix("done\n"))
    let failed = try run(Code(.long).debugExit(42))
    #expect(failed.status == 1)
    #expect(failed.output.contains("vCPU 0 wrote 42 to the debug exit (0 would be success)"))
  }

  @Test func `a reset ends with 1`() throws {
    let result = try run(Code(.long).out(0xfe, to: 0x64).halt())
    #expect(result.status == 1)
    #expect(result.output.contains("FAILED; vCPU 0 reset the machine"))
  }

  @Test func `ports that nobody claims are noted, and no failure`() throws {
    let result = try run(Code(.long).out(1, to: 0x1234).input(from: 0x80).debugExit(0))
    #expect(result.status == 0)
    #expect(
      result.output.contains(
        "note: 2 accesses to unclaimed port: vCPU 0 wrote 1 byte at 0x1234; vCPU 0 read 1 byte at 0x80\n"))
  }

  @Test(arguments: [0, 1] as [UInt8])
  func `a guest that fails for want of QEMU's devices is told where they are`(status: UInt8) throws {
    let guest = try GuestFile(ELFImage(code: Code(.long).out(5, to: 0x510).debugExit(status).bytes).bytes)
    let result = try Program.run(["run", guest.path])
    #expect(result.status == Int32(status))
    #expect(result.errors.contains("--machine unittest") == (status != 0), "\(result.errors)")
  }

  @Test func `a guest that floods the console ends by its limit like any other`() throws {
    let flood = Code(.long).outs(4096, at: 0x3000, to: 0x3f8).forever()
    var image = ELFImage(code: flood.bytes)
    image.segments.append(ELFImage.Segment(at: 0x3000, [UInt8](repeating: 0x78, count: 4096)))
    let file = try GuestFile(image.bytes)
    let result = try Program.run(["run", file.path, "--timeout", "300ms", "--format", "json"])
    #expect(result.status == 124)
    let report = try JSONDecoder().decode(RunReport.self, from: Data(result.output.utf8))
    #expect(report.outcome.kind == .timeLimit)
    #expect(report.console.text.count > 100)
    #expect(report.console.text.allSatisfy { $0 == "x" })
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal during a hang ends it in order, with a report`(signal: Int32, status: Int32) throws {
    let file = try GuestFile(ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes)
    let program = try Program(["run", file.path, "--timeout", "1m"])
    #expect(program.wait { program.outputSoFar.contains("up\n") })
    program.signal(signal)
    let result = try program.result()
    #expect(!result.wasKilled)
    #expect(result.status == status)
    #expect(result.output.contains("FAILED; the machine was stopped from outside"))
    #expect(result.output.contains("local APIC 0"))
  }

  @Test func `a reader who has gone to sleep does not make it unkillable`() throws {
    let file = try GuestFile(ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes)
    let reader = try SleepingReader()
    let program = try Program(["run", file.path, "--timeout", "10m"], standardOutput: reader.end)
    #expect(program.wait { program.threads.contains("vcpu 0") })
    // The first signal ends the run, a later one the wait for the reader.
    var sent = 0
    let hasEnded = program.wait {
      program.signal(SIGTERM)
      sent += 1
      return program.hasExited
    }
    #expect(hasEnded)
    #expect(sent > 1)
    let result = try program.result()
    #expect(result.wasKilled && result.status == SIGTERM)
    #expect(result.errors == "")
    withExtendedLifetime(reader) {}
  }

  @Test func `a reader who has gone to sleep does not keep the time limit from passing`() throws {
    // mov rax, [rdi + 72] (the log); one record is claimed: sequence 1, a mark without text. Its line is to be shown.
    let code = Code(.long).then([0x48, 0x8b, 0x47, 72, 0xc6, 0x00, 1, 0xc6, 0x40, 68, 3, 0xc6, 0x40, 64, 1]).spin()
    let file = try GuestFile(ELFImage(code: code.bytes).bytes)
    let reader = try SleepingReader()
    let program = try Program(["run", file.path, "--timeout", "300ms"], standardOutput: reader.end)
    #expect(program.wait { program.threads.contains("vcpu 0") })
    #expect(program.wait { !program.threads.contains("vcpu 0") })
    // The run has ended; what waits for the reader is the report.
    #expect(!program.hasExited)
    _ = program.wait {
      program.signal(SIGTERM)
      return program.hasExited
    }
    #expect(try program.result().wasKilled)
    withExtendedLifetime(reader) {}
  }

  @Test(arguments: [["run", "hello"], ["run", "hello", "--format", "json"], ["list"], ["doctor"]])
  func `output that nobody takes is an error that is told`(arguments: [String]) throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let result = try Program.run(arguments, standardOutput: full)
    #expect(!result.wasKilled)
    #expect(result.status == 65)
    #expect(
      result.errors == "lapwing: the report cannot be written to standard output: No space left on device\n")
  }
}
