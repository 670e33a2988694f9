import Foundation
import Reports
import Scenarios
import TestImages
import Testing

/// Signals at any moment: the program ends as documented, and leaves nothing half done.
@Suite(.needsKVM) struct SignalTests {
  private static let spinning = Code(.long).print("up\n").spin()

  /// 128 and the number, as shells have it.
  static let ends: [(signal: Int32, status: Int32)] = [(SIGHUP, 129), (SIGINT, 130), (SIGTERM, 143)]

  @Test(arguments: ends)
  func `a run that is asked to end reports what it has`(signal: Int32, status: Int32) throws {
    let guest = try GuestFile(ELFImage(code: Self.spinning.bytes).bytes)
    let program = try Program(["run", guest.path, "--timeout", "1m"])
    #expect(program.wait { program.outputSoFar.contains("up\n") })
    program.signal(signal)
    let result = try program.result()
    #expect(!result.wasKilled && result.status == status, "\(result.status)")
    #expect(result.output.contains("FAILED; the machine was stopped from outside"))
  }

  @Test(arguments: ends)
  func `a snapshot that is asked to end before its moment leaves nothing`(signal: Int32, status: Int32) throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Self.spinning.bytes).bytes)
    for moment in ["50s", "mark:7", "exit:1000000"] {
      let program = try Program([
        "snapshot", guest.path, "--at", moment, "--timeout", "55s", "--output", folder.path("s"),
      ])
      #expect(program.wait { program.outputSoFar.contains("up\n") })
      program.signal(signal)
      let result = try program.result()
      #expect(!result.wasKilled && result.status == status, "\(moment): \(result.status) \(result.errors)")
      #expect(folder.names == [])
    }
  }

  @Test func `a signal that asks for snapshots ends nothing, and one that is ignored is ignored`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Self.spinning.bytes).bytes)
    let asked = try Program([
      "run", guest.path, "--timeout", "1m", "--snapshot-on", "HUP", "--snapshot-file", folder.path("%d"),
    ])
    #expect(asked.wait { asked.outputSoFar.contains("up\n") })
    asked.signal(SIGHUP)
    #expect(asked.wait { folder.names == ["1", "1.memory"] })
    asked.signal(SIGTERM)
    #expect(try asked.result().status == 143)
    // As nohup(1) starts it; the shell hands on what it ignores.
    let ignoring = try Program(
      ["run", guest.path, "--timeout", "1m"], through: ["/bin/sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""])
    #expect(ignoring.wait { ignoring.outputSoFar.contains("up\n") })
    ignoring.signal(SIGHUP)
    ignoring.signal(SIGTERM)
    #expect(try ignoring.result().status == 143)
  }

  @Test(arguments: [
    ["run", "hello"], ["run", "hello", "--quiet"], ["list"], ["doctor"], ["test", "ipi.self"], ["test", "--list"],
    ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10"], ["run", "hello", "--format", "json"], ["--help"],
  ])
  func `a pipe that nobody reads any more is an error, not the end`(arguments: [String]) throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let result = try Program.run(arguments, standardOutput: pipe.fileHandleForWriting)
    #expect(!result.wasKilled, "\(result.status)")
    #expect(result.status == 65, "\(result.status)")
    #expect(result.errors.hasSuffix("standard output: Broken pipe\n"), "\(result.errors)")
  }

  @Test func `doctor tells what it has tried when a signal ends it`() throws {
    let doctor = try Program(["doctor", "--probe", "--format", "json"])
    #expect(doctor.wait { doctor.threads.contains("vcpu 0") })
    doctor.signal(SIGTERM)
    let result = try doctor.result()
    #expect(result.status == 143, "\(result.status), \(result.errors)")
    let report = try JSONDecoder().decode(DoctorReport.self, from: Data(result.output.utf8))
    #expect(try #require(report.traits).count < HostTrait.allCases.count)
  }

  @Test func `a report in a file is finished where standard output has lost its reader`() throws {
    let folder = try Folder()
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let result = try Program.run(
      ["test", "ipi.self", "--format", "json", "--output", folder.path("r")],
      standardOutput: pipe.fileHandleForWriting)
    #expect(result.status == 65)
    #expect(try folder.text("r").hasSuffix("}\n"))
    #expect(folder.names == ["r"])
  }

  @Test(arguments: 0..<4)
  func `a signal at any moment ends every command in order, and leaves a whole output or none`(seed: UInt64) throws {
    var numbers = SeededGenerator(seed: seed)
    for command in OutputTests.commands {
      for (signal, status) in Self.ends {
        let folder = try Folder()
        let program = try Program(command + [folder.path("output")])
        usleep(UInt32.random(in: 0...90_000, using: &numbers))
        program.signal(signal)
        let result = try program.result()
        let what = "seed \(seed), \(command), signal \(signal): status \(result.status), \(result.errors)"
        // Before it holds signals back, and once it writes what it has, a signal ends it as any other program.
        if result.wasKilled {
          #expect(result.status == signal, "\(what)")
        } else {
          #expect([0, status].contains(result.status), "\(what)")
        }
        let whole = command[0] == "snapshot" ? ["output", "output.memory"] : ["output"]
        #expect(folder.names == [] || folder.names == whole, "\(what): \(folder.names)")
        guard folder.names != [] else { continue }
        #expect(try folder.text("output").hasSuffix("\n"), "\(what)")
      }
    }
  }

  /// Opens a pipe without waiting for its other end; below 0 where that cannot be.
  private static func opening(_ path: String, _ access: Int32) -> Int32 {
    // Sound: the path is NUL-terminated and outlives the call.
    unsafe open(path, access | O_NONBLOCK | O_CLOEXEC)
  }

  @Test func `a signal that comes when all cases have ended does not cost the report`() throws {
    let folder = try Folder()
    try folder.makeNode("report", S_IFIFO)
    // A pipe of one page, which the report does not fit into: it waits in the middle of it.
    let reader = Self.opening(folder.path("report"), O_RDONLY)
    try #require(reader >= 0)
    defer { close(reader) }
    // F_SETPIPE_SZ of linux/fcntl.h.
    let room = fcntl(reader, 1031, 4096)
    try #require(room > 0)
    let program = try Program([
      "test", "ipi.self", "ipi.self-register", "msi.", "--timeout", "50s", "--format", "json", "--output",
      folder.path("report"),
    ])
    #expect(
      program.wait {
        var waiting: Int32 = 0
        // Sound: the call writes the one number.
        _ = unsafe ioctl(reader, UInt(FIONREAD), &waiting)
        return waiting == room
      })
    program.signal(SIGTERM)
    var report = Data()
    _ = program.wait {
      var piece = [UInt8](repeating: 0, count: 4096)
      // Sound: the call writes at most as many bytes as the array has.
      let count = unsafe read(reader, &piece, piece.count)
      if count > 0 { report += piece[..<count] }
      return count == 0
    }
    let result = try program.result()
    #expect(!result.wasKilled && result.status == 0, "\(result.status)")
    #expect(report.count > room)
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: report) }
  }

  @Test(arguments: [("USR1", SIGUSR1), ("sigusr2", SIGUSR2), ("HUP", SIGHUP), ("QUIT", SIGQUIT)] as [(String, Int32)])
  func `a signal that asks for a snapshot waits for a guest that is not there yet`(name: String, number: Int32) throws {
    let folder = try Folder()
    try folder.makeNode("image", S_IFIFO)
    // A pipe with a writer is not at its end.
    let writer = Self.opening(folder.path("image"), O_RDWR)
    let image = FileHandle(fileDescriptor: writer, closeOnDealloc: true)
    let program = try Program([
      "run", folder.path("image"), "--timeout", "50s", "--snapshot-on", name, "--snapshot-file", folder.path("%d"),
    ])
    #expect(program.wait { program.openFiles.contains(folder.path("image")) })
    program.signal(number)
    try #require(fcntl(writer, F_SETFL, 0) == 0)
    try image.write(contentsOf: Data(ELFImage(code: Self.spinning.bytes).bytes))
    try image.close()
    #expect(program.wait { folder.names == ["1", "1.memory", "image"] })
    program.signal(SIGTERM)
    let result = try program.result()
    #expect(!result.wasKilled && result.status == 143, "\(result.status) \(result.errors)")
  }
}
