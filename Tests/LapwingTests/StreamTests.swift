import Foundation
import Reports
import Testing

/// Hosts and shells that hand over less than a process mostly gets.
@Suite struct StreamTests {
  /// Runs the program with redirections of the shell's.
  private func run(_ arguments: [String], _ redirections: String) throws -> Program.Result {
    try Program.run(arguments, through: ["/bin/sh", "-c", "exec \"$0\" \"$@\" \(redirections)"])
  }

  @Test(.needsKVM, arguments: [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
  func `a report is no standard stream that was closed`(redirections: String) throws {
    let folder = try Folder()
    let arguments = ["test", "ipi.self.x2apic", "--format", "json", "--output", folder.path("report.json")]
    let result = try run(arguments, redirections)
    #expect(result.status == 0)
    let report = try JSONDecoder().decode(SuiteReport.self, from: Data(try folder.text("report.json").utf8))
    #expect(report.cases.count == 1)
    #expect(folder.names == ["report.json"])
  }

  @Test(.needsKVM) func `what a guest prints goes nowhere where standard output was closed`() throws {
    let result = try run(["run", "hello"], ">&-")
    #expect(result.status == 0)
    #expect(result.output == "" && result.errors == "")
  }

  @Test(arguments: ["<&- >&-", "<&- >&- 2>&-"])
  func `usage is refused as ever where streams were closed`(redirections: String) throws {
    #expect(try run(["run"], redirections).status == 64)
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"), arguments: [["list"], ["doctor"]])
  func `without /proc the arguments are understood, and nothing aborts`(arguments: [String]) throws {
    let result = try Program.run(
      arguments, through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", "umount -l /proc && exec \"$0\" \"$@\""])
    #expect(!result.wasKilled)
    #expect(result.output.contains(arguments == ["list"] ? "hello " : "host  Linux"), "\(result.output)")
    #expect(!result.output.contains("USAGE"))
  }

  @Test(.needsKVM, arguments: [5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 25, 30])
  func `with few descriptors a run passes, or says what it lacks`(limit: Int) throws {
    let result = try Program.run(
      ["run", "hello"], through: ["/bin/sh", "-c", "ulimit -n \(limit); exec \"$0\" \"$@\""])
    #expect(!result.wasKilled)
    #expect(result.status == 0 || result.status == 69, "\(result.status): \(result.errors)")
    if result.status == 69 { #expect(result.errors.contains("ulimit -n"), "\(result.errors)") }
  }

  /// Confined, as a user runs it: what the waiting calls has to be allowed.
  @Test(.needsKVM) func `a named pipe is waited for until its writer comes, and one without a name is not`() throws {
    let folder = try Folder()
    let state = folder.path("state.json")
    try #require(try Program.run(["snapshot", "hello", "--at", "exit:2", "--output", state]).status == 0)
    let late = "mkfifo \(folder.path("pipe")); (sleep 0.2; cat \(state) > \(folder.path("pipe"))) & exec \"$0\" \"$@\""
    let read = try Program.run(["inspect", folder.path("pipe")], through: ["/bin/sh", "-c", late])
    #expect(read.status == 0 && read.output.contains("1 vCPU"), "\(read.errors)")
    let script =
      "mkfifo \(folder.path("script")); (sleep 0.2; echo nmi:0@exit:1 > \(folder.path("script"))) & exec \"$0\" \"$@\""
    let run = try Program.run(
      ["run", "hello", "--inject-file", folder.path("script")], through: ["/bin/sh", "-c", script])
    #expect(run.status == 1 && run.output.contains("nmi:0"), "\(run.output) \(run.errors)")
    let nothing = try Program.run(["inspect"], through: ["/bin/bash", "-c", "exec \"$0\" \"$@\" <(true)"])
    #expect(nothing.status == 65 && nothing.errors.contains("ends too early"), "\(nothing.errors)")
  }

  @Test(.needsKVM, arguments: 4...14)
  func `without a descriptor for a file it is the limit that is named, not the file`(limit: Int) throws {
    let folder = try Folder()
    let state = folder.path("state.json")
    try #require(try Program.run(["snapshot", "hello", "--at", "exit:2", "--output", state]).status == 0)
    let (report, disk) = (folder.path("report.json"), folder.path("disk"))
    try folder.write(String(repeating: ".", count: 512), to: "disk")
    let test = ["test", "ipi.self.x2apic", "--format", "json", "--output"]
    try #require(try Program.run(test + [report]).status == 0)
    for arguments in [
      ["inspect", state], ["diff", state, state], ["restore", state], ["compare", report, report],
      ["report", "merge", report], ["bench", "exit.cpuid", "--rounds", "1", "--samples", "2", "--svg", report],
      test + [folder.path("new.json")], ["snapshot", "hello", "--at", "exit:2", "--output", folder.path("new")],
      ["run", "hello", "--disk", disk + ",ro"], ["list", "--image", "hello", "--output", folder.path("image")],
    ] + (Host.isRoot ? [["watch", "--for", "10ms"], ["run", "hello", "--timeline", folder.path("t.html")]] : []) {
      let result = try Program.run(
        arguments, through: ["/bin/sh", "-c", "ulimit -n \(limit); exec \"$0\" \"$@\""])
      #expect(!result.wasKilled)
      #expect([0, 69].contains(result.status), "\(arguments): \(result.status): \(result.errors)")
      if result.status == 69 { #expect(result.errors.contains("ulimit -n"), "\(arguments): \(result.errors)") }
      if result.status == 69, arguments.contains("--svg") {
        let kept = try Data(contentsOf: URL(fileURLWithPath: report))
        #expect(kept.first == UInt8(ascii: "{"), "\(arguments)")
      }
    }
  }
}
