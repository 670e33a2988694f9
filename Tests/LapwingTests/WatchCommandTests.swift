import Foundation
import KVM
import TestImages
import Testing

/// `lapwing watch`: machines of other programs.
@Suite struct WatchCommandTests {
  @Test(.needsTracepoints) func `what names no machine is refused, and it is said what to do`() throws {
    let none = try Program.run(["watch", "999999999"])
    #expect(none.status == 69 && none.errors.contains("there is no process 999999999"))
    #expect(none.errors.contains("'lapwing watch' lists the machines"))
    // The tests' own process may have machines.
    let idle = try Program.run(["watch", "\(getppid())"])
    #expect(idle.status == 69 && idle.errors.contains("runs no virtual machine"))
  }

  @Test func `wrong arguments are refused before anything is looked at`() throws {
    for arguments in [
      ["x"], ["0"], ["1/2/3"], ["1", "--interval", "1ms"], ["1", "--vector", "0x100"], ["1", "--vector", "5"],
      ["--vcpu", "1"], ["--interval", "1s"], ["1", "--for", "0s"], ["1", "--format", "xml"], ["1", "--vcpu", "-1"],
    ] {
      #expect(try Program.run(["watch"] + arguments).status == 64, "\(arguments)")
    }
  }

  @Test(.enabled(if: Host.canDropPrivileges, "dropping privileges takes root and setpriv(1)"))
  func `a user who may not look is told what helps`() throws {
    let result = try Program.run(["watch", "1"], through: Host.nobody)
    #expect(result.status == 69 && result.errors.contains("run as root"))
  }

  @Test(.needsTracepoints) func `no machine is something to say, and no error`() throws {
    // Other tests run machines meanwhile, so what is there is not known; but the list always is one.
    let result = try Program.run(["watch", "--for", "50ms", "--format", "json"])
    #expect(result.status == 0)
    let list = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(list["schema"] as? String == "lapwing.machines/1" && list["machines"] is [Any])
  }
}

/// Machines that are watched while they run.
@Suite(.needsKVM, .needsTracepoints) struct WatchedMachineTests {
  @Test func `every message that another program sends its guest is counted, and nothing is left behind`() throws {
    let machine = try WatchedGuest(messages: 2000)
    let watching = try Program(["watch", "\(machine.program.id)", "--interval", "200ms", "--format", "json"])
    try #require(watching.wait { !watching.outputSoFar.isEmpty }, "\(watching.errorsSoFar)")
    let sent = try machine.send()
    let result = try watching.result()
    #expect(result.status == 0 && result.errors.contains("the machine has ended"))
    let lines = try result.output.split(separator: "\n").map { try WatchLine($0) }
    #expect(lines.count >= 2)
    #expect(lines.allSatisfy { $0.schema == "lapwing.watch/1" && $0.process == machine.program.id && $0.lost == 0 })
    #expect(lines.last?.hasEnded == true)
    let rows = lines.flatMap(\.interrupts).filter { $0.vector == 0x60 }
    #expect(rows.reduce(0) { $0 + $1.accepted } == sent)
    #expect(rows.allSatisfy { $0.vcpu == 0 && $0.sources.allSatisfy { $0 == "message" } })
    #expect(Set(lines.flatMap(\.vcpus)) == [0, 1])
  }

  @Test func `a summary has all of the time, and a filter leaves other vectors out`() throws {
    let machine = try WatchedGuest(messages: 500)
    let all = try Program(["watch", "\(machine.program.id)", "--for", "60s"])
    let other = try Program(["watch", "\(machine.program.id)", "--for", "60s", "--vector", "0x61"])
    let json = try Program(["watch", "\(machine.program.id)", "--for", "60s", "--format", "json"])
    for program in [all, other, json] { try #require(machine.isWatched(by: program)) }
    let sent = try machine.send()
    let text = try all.result()
    #expect(text.status == 0 && text.output.contains("0x60") && text.output.contains("message"))
    #expect(try other.result().output.contains("no interrupt was seen"))
    let lines = try json.result().output.split(separator: "\n").map { try WatchLine($0) }
    #expect(lines.count == 1 && lines.first?.interrupts.first { $0.vector == 0x60 }?.accepted == sent)
  }

  @Test func `a timeline has every message that was sent`() throws {
    let machine = try WatchedGuest(messages: 200)
    let folder = try Folder()
    let watching = try Program([
      "watch", "\(machine.program.id)", "--for", "60s", "--format", "json", "--timeline", folder.path("seen.html"),
    ])
    try #require(machine.isWatched(by: watching))
    let sent = try machine.send()
    let result = try watching.result()
    #expect(result.status == 0)
    let line = try WatchLine(Substring(result.output))
    #expect(line.interrupts.first { $0.vector == 0x60 }?.accepted == sent)
    let page = try folder.text("seen.html")
    #expect(page.contains("</html>"))
    #expect(page.contains("lapwing \(machine.program.id)/"))
    #expect(folder.names == ["seen.html"])
    let refused = try Program.run(["watch", "1", "--timeline", "/dev/null.html/x.html"])
    #expect(refused.status == 65)
    #expect(try Program.run(["watch", "--timeline", folder.path("list.html")]).status == 64)
  }

  @Test func `the list has the machine, its program and its vCPUs`() throws {
    let machine = try WatchedGuest(messages: 10)
    let result = try Program.run(["watch", "--for", "100ms"])
    #expect(result.status == 0)
    let row = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("\(machine.program.id)/") })
    let cells = row.split(separator: " ")
    #expect(cells.count > 3 && cells[1] == "lapwing" && cells[2] == "2")
  }

  @Test func `of a process with several machines it is said which there are, and each is watched by its name`() throws {
    let kvm = try KVM.open()
    let machines = [try kvm.createVM(), try kvm.createVM()]
    let result = try Program.run(["watch", "\(getpid())"])
    #expect(result.status == 64 && result.errors.contains("runs several machines; name one of"))
    let names = result.errors.split { !"0123456789/".contains($0) }.filter { $0.hasPrefix("\(getpid())/") }
    #expect(names.count >= machines.count)
    let watched = try names.filter { name in
      try Program.run(["watch", "\(name)", "--for", "100ms"]).output.contains(" \(name), 0 vCPUs")
    }
    #expect(watched.count >= machines.count)
    let other = try Program.run(["watch", "\(getpid())/999999"])
    #expect(other.status == 69 && other.errors.contains("no machine has the descriptor 999999"))
  }

  @Test func `with all threads recorded the same is counted, but for what may be another machine's`() throws {
    let machine = try WatchedGuest(messages: 500)
    let watching = try Program([
      "watch", "\(machine.program.id)", "--for", "60s", "--all-threads", "--format", "json",
    ])
    try #require(machine.isWatched(by: watching))
    let sent = try machine.send()
    let lines = try watching.result().output.split(separator: "\n").map { try WatchLine($0) }
    let line = try #require(lines.first)
    let accepted = line.interrupts.first { $0.vector == 0x60 }?.accepted ?? 0
    // Other tests' machines have vCPUs with the same ids.
    #expect(accepted <= sent && accepted + line.ambiguous >= sent)
  }

  @Test func `a view is drawn in place, takes another size, ends with q and gives the terminal back`() throws {
    let machine = try WatchedGuest(messages: 10)
    let terminal = try Terminal()
    try terminal.resize(rows: 30, columns: 100)
    let program = try Program(
      ["watch", "\(machine.program.id)"], environment: ["TERM": "xterm"],
      through: ["/bin/sh", "-c", "exec \"$0\" \"$@\" <&1"], standardOutput: terminal.end)
    var seen = try terminal.read(until: "q ends")
    #expect(seen.contains("\u{1b}[?1049h") && seen.contains("2 vCPUs") && terminal.isRaw)
    try terminal.resize(rows: 10, columns: 40)
    seen = try terminal.read(until: "q ends")
    let frame = try #require(seen.components(separatedBy: "\u{1b}[H").last { $0.contains("q ends") })
    #expect(frame.components(separatedBy: "\r\n").count <= 10)
    try terminal.type("q")
    _ = try terminal.read(until: "\u{1b}[?1049l")
    #expect(try program.result().status == 0)
    #expect(!terminal.isRaw)
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func `a signal ends it with what was seen so far`(_ signal: Int32, _ status: Int32) throws {
    let machine = try WatchedGuest(messages: 10)
    let program = try Program(["watch", "\(machine.program.id)", "--for", "60s"])
    try #require(machine.isWatched(by: program))
    program.signal(signal)
    let result = try program.result()
    #expect(result.status == status && !result.wasKilled && result.output.contains("2 vCPUs"))
  }
}

/// Readers of the watching who have gone to sleep.
@Suite(.needsKVM, .needsTracepoints) struct SleepingReaderTests {
  @Test func `one signal ends a watching that nobody reads, in order`() throws {
    let machine = try WatchedGuest(messages: 10)
    let reader = try SleepingReader()
    let program = try Program(
      ["watch", "\(machine.program.id)", "--interval", "100ms", "--format", "json"], standardOutput: reader.end)
    // It has something to write before long, and no room for it.
    let start = ContinuousClock.now
    try #require(
      program.wait { program.openFiles.contains { $0.hasSuffix("trace_pipe_raw") } && .now > start + .seconds(1) })
    program.signal(SIGTERM)
    let result = try program.result()
    #expect(result.status == 143 && !result.wasKilled, "\(result.errors)")
    withExtendedLifetime(reader) {}
  }

  @Test func `measurements on a terminal that is stopped are ended by signals`() throws {
    let terminal = try Terminal()
    let program = try Program(
      ["bench", "exit.cpuid", "--rounds", "1000"], environment: ["TERM": "xterm"],
      through: ["/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1"], standardOutput: terminal.end)
    _ = try terminal.read(until: "round 2 ")
    try terminal.type("\u{13}")
    let hasEnded = program.wait {
      program.signal(SIGTERM)
      return program.hasExited
    }
    #expect(hasEnded)
    #expect([143, SIGTERM].contains(try program.result().status))
  }
}

/// QEMU, watched.
@Suite(
  .needsKVM, .needsTracepoints, .enabled(if: Host.qemu != nil, "this host has no QEMU: apt-get install qemu-system-x86")
)
struct WatchedQEMUTests {
  @Test func `QEMU's machine is listed by its program and watched by its threads`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Host.qemu))
    process.arguments = [
      "-machine", "pc", "-accel", "kvm", "-cpu", "qemu64,+x2apic", "-smp", "2", "-m", "64", "-display", "none",
      "-serial",
      "none", "-monitor", "none", "-nodefaults",
    ]
    for stream in [\Process.standardOutput, \Process.standardError] { process[keyPath: stream] = FileHandle.nullDevice }
    process.standardInput = FileHandle.nullDevice
    try process.run()
    defer {
      // It inherits the signals that the tests' threads block.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let id = process.processIdentifier
    var result: Program.Result?
    // It makes its machine some time after it has started.
    #expect(
      process.wait {
        result = try? Program.run(["watch", "\(id)", "--for", "200ms", "--format", "json"])
        return result?.status == 0 && result?.output.contains("\"thread\"") == true
      }, "\(result?.errors ?? "")")
    let line = try WatchLine(Substring(try #require(result).output.split(separator: "\n")[0]))
    #expect(line.program.hasPrefix("qemu-system") && line.vcpus == [0, 1] && line.process == id)
    #expect(line.lost == 0)
  }
}
