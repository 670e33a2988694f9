import Foundation
import Reports
import Testing

/// `lapwing test` as a person, a script and a CI server use it.
@Suite struct SuiteCommandTests {
  @Test func `--list has a line a case and needs no KVM`() throws {
    let result = try Program.run(["test", "--list", "ipi.self", "msi.halted.xapic"])
    #expect(result.status == 0 && result.errors == "")
    let ids = result.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(ids == ["ipi.self.xapic", "ipi.self.x2apic", "msi.halted.xapic"])
  }

  @Test func `--list --format json is a document`() throws {
    let result = try Program.run(["test", "--list", "--format", "json", "ipi.self"])
    let catalogue = try JSONDecoder().decode(CatalogueReport.self, from: Data(result.output.utf8))
    #expect(catalogue.schema == "lapwing.scenarios/1")
    #expect(catalogue.scenarios.map(\.cases) == [["ipi.self.xapic", "ipi.self.x2apic"]])
  }

  @Test(arguments: [
    (["no.such"], "no case's id is 'no.such' or begins with it"),
    (["ipi.", "*.avic"], "no case's id is like '*.avic'"),
    (["--shard", "3/2"], "The value '3/2' is invalid for '--shard"),
    (["--shard", "0/1"], "The value '0/1' is invalid for '--shard"),
    (["--require", "sorcery"], "The value 'sorcery' is invalid for '--require"),
    (["--repeat", "0"], "--repeat takes a number from 1"), (["--jobs", "0"], "--jobs takes a number from 1"),
    (["--timeout", "0"], "The value '0' is invalid"), (["--format", "xml"], "The value 'xml' is invalid"),
    (["--format", "markdown"], "--format markdown is for --list"), (["--list", "--format", "ktap"], "not for --list"),
    (["--compare", "avic"], "The value 'avic' is invalid"),
    (["--compare", "apicv", "--list"], "--compare goes with neither --list nor --sabotage"),
    (["--compare", "apicv", "--format", "junit"], "--compare writes human or json, not junit"),
  ])
  func `what cannot be meant is refused with 64 before anything runs`(arguments: [String], message: String) throws {
    let result = try Program.run(["test"] + arguments)
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test(arguments: ["/no/such/folder/report", "/tmp", "/proc/version"])
  func `a file that cannot be written is refused with 65 before anything runs`(path: String) throws {
    let result = try Program.run(["test", "ipi.self", "--output", path])
    #expect(result.status == 65)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("lapwing: cannot write '\(path)': "))
  }

  @Test(.needsKVM) func `a report goes into a file whole, and a summary to standard output`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "report.json")
    try Data("old".utf8).write(to: file)
    let result = try Program.run(["test", "ipi.self", "--format", "json", "--output", file.path, "--repeat", "2"])
    #expect(result.status == 0)
    #expect(result.output.contains("2 passed, 0 failed, 0 skipped of 2 cases, 4 of 4 runs in "))
    let report = try JSONDecoder().decode(SuiteReport.self, from: Data(contentsOf: file))
    #expect(report.success && report.cases.map(\.runs) == [2, 2])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["report.json"])
  }

  @Test(.needsKVM) func `a report on standard output is alone there`() throws {
    let result = try Program.run(["test", "ipi.self", "--format", "ktap", "--jobs", "2"])
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("KTAP version 1\n1..2\n# host: Linux "))
    #expect(
      result.output.split(separator: "\n").filter { $0.hasPrefix("ok ") }
        == ["ok 1 ipi.self.xapic", "ok 2 ipi.self.x2apic"])
    #expect(result.errors.contains("ok      ipi.self.x2apic"))
  }

  @Test(.needsKVM) func `all shards together run everything`() throws {
    let ids = try (1...3).flatMap { index in
      let result = try Program.run(["test", "ipi.self", "msi.halted", "--shard", "\(index)/3", "--format", "json"])
      return try JSONDecoder().decode(SuiteReport.self, from: Data(result.output.utf8)).cases.map(\.id)
    }
    #expect(ids.sorted() == ["ipi.self.x2apic", "ipi.self.xapic", "msi.halted.x2apic", "msi.halted.xapic"])
  }

  @Test(.needsKVM) func `sabotage succeeds where every scenario fails for want of its stimulus`() throws {
    let result = try Program.run(["test", "--sabotage", "ipi.self"])
    #expect(result.status == 0)
    #expect(result.output.contains("2 passed, 0 failed"))
  }

  @Test(.needsKVM) func `a scenario without time fails with 1, and its failure is shown in full`() throws {
    let result = try Program.run(["test", "ipi.halted.x2apic", "--timeout", "1us"])
    #expect(result.status == 1)
    for text in [
      "FAILED ipi.halted.x2apic: An IPI wakes a halted vCPU", "interrupts taken: ", "irq_injections", "rip 0x",
      "local APIC 1: ", "alone: lapwing test ipi.halted.x2apic", "0 passed, 1 FAILED",
    ] {
      #expect(result.output.contains(text))
    }
  }

  @Test(.needsKVM, arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal ends the suite in order, and what was finished is reported`(signal: Int32, status: Int32) throws {
    let program = try Program(["test", "ipi.self", "--repeat", "100000", "--jobs", "2"])
    #expect(program.wait { program.outputSoFar.contains("ok      ipi.self.xapic") })
    program.signal(signal)
    let result = try program.result()
    #expect(!result.wasKilled && result.status == status)
    #expect(result.output.hasSuffix("; interrupted\n"))
  }

  @Test(.needsKVM) func `two reports are compared case by case, and a file that is none is refused with 65`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "report.json").path
    #expect(try Program.run(["test", "ipi.self", "--format", "json", "--output", file]).status == 0)
    let result = try Program.run(["compare", file, file, "--names", "before,after", "--all"])
    #expect(result.status == 0)
    #expect(result.output.contains("\nipi.self.x2apic "))
    #expect(result.output.hasSuffix("\nafter: 2 passed, 0 failed, 0 skipped\n"))
    let refusal = try Program.run(["compare", file, "/proc/version"])
    #expect(refusal.status == 65)
    #expect(refusal.errors.hasPrefix("lapwing: '/proc/version' is no document lapwing.test/1: "))
  }

  @Test(.needsKVM) func `a suite with a baseline fails for what got worse alone`() throws {
    let folder = try Folder()
    let (good, bad) = (folder.path("good.json"), folder.path("bad.json"))
    #expect(try Program.run(["test", "ipi.self.", "--format", "json", "--output", good]).status == 0)
    // Known to fail, and passes: a failure that does not come from the host.
    try folder.write("ipi.self.xapic * made up\n", to: "known")
    let unexpected = try Program.run(
      ["test", "ipi.self.", "--expect", folder.path("known"), "--format", "json", "--output", bad])
    #expect(unexpected.status == 1)
    #expect(unexpected.output.contains("it passed, and is expected to fail by"))
    let better = try Program.run(["test", "ipi.self.", "--baseline", bad])
    #expect(better.status == 0)
    #expect(better.output.contains("passes now  ipi.self.xapic"))
    let worse = try Program.run(["test", "ipi.self.", "--baseline", good, "--expect", folder.path("known")])
    #expect(worse.status == 1)
    #expect(worse.output.contains("FAILS NOW  ipi.self.xapic"))
    #expect(try Program.run(["compare", good, bad]).status == 1)
    #expect(try Program.run(["compare", bad, good]).status == 0)
    // What has nothing to be compared with must not look as if nothing got worse.
    let other = folder.path("other.json")
    #expect(try Program.run(["test", "ipi.broadcast.", "--format", "json", "--output", other]).status == 0)
    #expect(try Program.run(["compare", good, other]).status == 65)
    let nothing = try Program.run(["test", "ipi.self.", "--baseline", other])
    #expect(nothing.status == 65 && nothing.errors.contains("has none of the cases that are to be run"))
    // It fails in both.
    #expect(
      try Program.run(["test", "ipi.self.", "--baseline", bad, "--expect", folder.path("known")]).status == 0)
  }

  @Test(.needsKVM) func `the reports of a suite's parts are merged into one`() throws {
    let folder = try Folder()
    for part in ["1", "2"] {
      let file = folder.path(part)
      #expect(
        try Program.run(["test", "ipi.self.", "--shard", "\(part)/2", "--format", "json", "--output", file]).status == 0
      )
    }
    let merged = try Program.run(["report", "merge", folder.path("1"), folder.path("2"), "--format", "ktap"])
    #expect(merged.status == 0)
    #expect(merged.output.hasPrefix("KTAP version 1\n1..2\n"))
    let twice = try Program.run(["report", "merge", folder.path("1"), folder.path("1")])
    #expect(twice.status == 65)
    #expect(twice.errors.contains("they are no parts of one suite"))
  }

  @Test func `a file of known deviations that cannot be read is refused before anything runs`() throws {
    let folder = try Folder()
    try folder.write("ipi.slef * lost\n", to: "known")
    let result = try Program.run(["test", "--expect", folder.path("known")])
    #expect(result.status == 65)
    #expect(
      result.errors.hasSuffix("line 1: no case's id is like 'ipi.slef'; 'lapwing test --list' shows what there is\n"))
    #expect(try Program.run(["test", "--expect", "/no/such"]).status == 65)
    #expect(try Program.run(["test", "--baseline", "/proc/version"]).status == 65)
    #expect(try Program.run(["test", "--list", "--baseline", "/proc/version"]).status == 64)
  }
}
