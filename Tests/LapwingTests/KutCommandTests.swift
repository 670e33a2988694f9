import Foundation
import KVM
import Reports
import TestImages
import Testing

/// `lapwing kut` as a person, a script and a CI server use it, with guests that talk as the suite's images do.
@Suite struct KutCommandTests {
  /// A folder with images and a configuration, removed with this object.
  private final class Suite {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lapwing-\(UUID().uuidString)")
    var config: String { folder.appending(path: "unittests.cfg").path }

    init(_ configuration: String) throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(configuration.utf8).write(to: folder.appending(path: "unittests.cfg"))
      try add("pass.flat", Code(.protected).print("PASS: all is well\r\n").debugExit(0))
      try add("fail.flat", Code(.protected).print("PASS: one\nFAIL: two # three\n").debugExit(1))
    }

    func add(_ name: String, _ code: Code) throws {
      try Data(MultibootImage(code: code.bytes).bytes).write(to: folder.appending(path: name))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
  }

  private static let configuration = """
    [good]
    file = pass.flat
    groups = fine
    [bad]
    file = fail.flat
    groups = poor
    [other]
    file = pass.flat
    arch = i386
    """

  @Test(.needsKVM) func `the configuration's tests are run, and one that fails gives status 1`() throws {
    let suite = try Suite(Self.configuration)
    let result = try Program.run(["kut", "--config", suite.config])
    #expect(result.status == 1)
    #expect(result.output.contains("ok      good  "))
    #expect(result.output.contains("FAILED  bad: two # three"))
    #expect(result.output.contains("skip    other: it is for i386"))
    #expect(result.output.contains("1 passed, 1 FAILED, 1 skipped of 3 cases"))
  }

  @Test(.needsTracepoints) func `--trace shows how the interrupts of each test got there`() throws {
    let suite = try Suite("[one]\nfile = one.flat\n[two]\nfile = one.flat\n[none]\nfile = pass.flat\n")
    try Data(MultibootImage.interruptingItself.bytes).write(to: suite.folder.appending(path: "one.flat"))
    let result = try Program.run(["kut", "--config", suite.config, "--trace", "--jobs", "2", "--format", "json"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(SuiteReport.self, from: Data(result.output.utf8))
    let traces = report.cases.compactMap(\.trace)
    #expect(traces.count == 3)
    let hasAPICv = HostSurvey.take()[.apicv].state == .available
    // Each has its own and no other's.
    #expect(hasAPICv || traces.map { $0.journeys.count } == [1, 1, 0])
    let text = try Program.run(["kut", "--config", suite.config, "--trace", "none"]).output
    #expect(text.contains("none: how its interrupts got there\n  no interrupt was seen\n"))
    #expect(try !Program.run(["kut", "--config", suite.config, "none"]).output.contains("how its interrupts"))
  }

  @Test(.needsKVM) func `names and groups select`() throws {
    let suite = try Suite(Self.configuration)
    for arguments in [["good"], ["g*"], ["--group", "fine"]] {
      let result = try Program.run(["kut", "--config", suite.config] + arguments)
      #expect(result.status == 0)
      #expect(result.output.contains("1 passed, 0 failed, 0 skipped of 1 case"))
    }
  }

  @Test(.needsKVM) func `KTAP has a test's checks as its subtests`() throws {
    let suite = try Suite(Self.configuration)
    let result = try Program.run(["kut", "--config", suite.config, "--format", "ktap"])
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0...1] == ["KTAP version 1", "1..3"])
    #expect(lines.contains("    ok 1 all is well"))
    #expect(lines.contains("    not ok 2 two % three"))
    #expect(lines.contains("not ok 2 bad"))
    #expect(lines.contains("ok 3 other # SKIP it is for i386"))
  }

  @Test(.needsKVM) func `the document and JUnit name the command and what failed`() throws {
    let suite = try Suite(Self.configuration)
    let document = try Program.run(["kut", "--config", suite.config, "--format", "json"])
    let report = try JSONDecoder().decode(SuiteReport.self, from: Data(document.output.utf8))
    #expect(report.program == "lapwing kut")
    #expect(report.cases[1].checks?.map(\.verdict) == [.passed, .failed])
    #expect(report.cases[1].failure?.vcpus.count == 1)
    #expect(report.cases[1].failure?.console == "PASS: one\nFAIL: two # three\n")
    let junit = try Program.run(["kut", "--config", suite.config, "--format", "junit"])
    #expect(junit.output.contains(#"<testsuites name="lapwing kut" tests="3" failures="1""#))
  }

  @Test(.needsKVM) func `images are run without a configuration too`() throws {
    let suite = try Suite("")
    let image = suite.folder.appending(path: "pass.flat").path
    let result = try Program.run(["kut", image, "--vcpus", "2", "--cpu", "qemu64,-x2apic", "--append", "a b"])
    #expect(result.status == 0)
    #expect(result.output.contains("ok      pass  "))
  }

  @Test func `--list says what becomes of each test, without KVM`() throws {
    let suite = try Suite(Self.configuration)
    let result = try Program.run(["kut", "--config", suite.config, "--list"])
    #expect(result.status == 0)
    #expect(result.output == "good\nbad\nother: skipped, it is for i386\n")
  }

  @Test(arguments: [
    ("[a]\nnonsense", "line 2: 'nonsense' is neither '[name]' nor 'option = value'"), ("", "has no tests"),
  ])
  func `a configuration that makes no sense is refused with 65`(text: String, message: String) throws {
    let suite = try Suite(text)
    let result = try Program.run(["kut", "--config", suite.config])
    #expect(result.status == 65)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test(
    arguments: [
      (["--config", "/nowhere/unittests.cfg"], 65, "cannot read '/nowhere/unittests.cfg'"),
      ([], 64, "there is nothing to run: name images, or a --config"),
      (["--group", "x", "y.flat"], 64, "--images, --group and --all are for --config"),
      (["x.flat", "--cpu", "warp9"], 64, "The value 'warp9' is invalid for '--cpu"),
      (["x.flat", "--vcpus", "0"], 64, "--vcpus takes a number from 1 to 4096"),
      (["x.flat", "--vcpus", "4294967296"], 64, "--vcpus takes a number from 1 to 4096"),
      (["x.flat", "--jobs", "0"], 64, "--jobs takes a number from 1 to 256"),
      (["x.flat", "--environment", "/nowhere"], 65, "cannot read '/nowhere'"),
    ] as [([String], Int32, String)])
  func `what cannot be meant is refused before anything runs`(
    arguments: [String], status: Int32, message: String
  ) throws {
    let result = try Program.run(["kut"] + arguments)
    #expect(result.status == status)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test(.needsKVM) func `a number of vCPUs that no host has fails its own test, and the others are run`() throws {
    let suite = try Suite("[huge]\nfile = pass.flat\nsmp = 4294967296\n" + Self.configuration)
    let result = try Program.run(["kut", "--config", suite.config, "huge", "good"])
    #expect(result.status == 1)
    #expect(result.output.contains("vCPUs, not 4294967296"), "\(result.output)")
    #expect(result.output.contains("1 passed, 1 FAILED, 0 skipped of 2 cases"))
  }

  @Test func `a name that no test has is refused with 64`() throws {
    let suite = try Suite(Self.configuration)
    let result = try Program.run(["kut", "--config", suite.config, "nosuch"])
    #expect(result.status == 64)
    #expect(result.errors.contains("no test has the name 'nosuch'"))
  }

  @Test(.needsKVM) func `lapwing run boots an image on the unit tests' machine`() throws {
    let suite = try Suite("")
    let image = suite.folder.appending(path: "pass.flat").path
    let result = try Program.run(["run", image, "--machine", "unittest", "--cpu", "max", "--quiet"])
    #expect(result.status == 0)
    #expect(result.output == "PASS: all is well\r\n")
  }
}
