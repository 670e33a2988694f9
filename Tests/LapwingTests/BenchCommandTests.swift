import Foundation
import Reports
import Testing

/// `lapwing bench` as a person and a script use it.
@Suite struct BenchCommandTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test func `--list has a line a measurement and needs no KVM`() throws {
    let result = try Program.run(["bench", "--list", "eoi", "ipi.halted.x2apic"])
    #expect(result.status == 0 && result.errors == "")
    let ids = result.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(ids == ["eoi.xapic", "eoi.x2apic", "ipi.halted.x2apic"])
    let json = try Program.run(["bench", "--list", "--format", "json"])
    let list = try JSONDecoder().decode(MeasurementList.self, from: Data(json.output.utf8))
    #expect(list.schema == "lapwing.measurements/1")
    #expect(list.measurements.contains { $0.id == "timer.deadline.halted" && $0.quantity == "lateness" })
  }

  @Test(arguments: [
    (["no.such"], "no measurement's id is 'no.such' or begins with it"),
    (["--rounds", "0"], "--rounds takes a number"),
    (["--rounds", "1001"], "--rounds takes a number"), (["--samples", "0"], "--samples takes a number"),
    (["--rounds", "1000", "--samples", "100000"], "more than 10000000 samples"),
    (["--fail-if-slower", "5"], "--fail-if-slower is for --compare"), (["--timeout", "0"], "The value '0' is invalid"),
    (["--compare", "x", "--fail-if-slower", "-1"], "--fail-if-slower"), (["--format", "ktap"], "'ktap' is invalid"),
  ])
  func `what cannot be meant is refused with 64 before anything runs`(arguments: [String], message: String) throws {
    let result = try Program.run(["bench"] + arguments)
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test func `an earlier run that cannot be read is refused with 65 before anything runs`() throws {
    try withFolder { folder in
      let bad = folder.appending(path: "bad.json")
      try Data("{\"schema\": \"lapwing.run/1\"}".utf8).write(to: bad)
      for (path, message) in [
        ("/no/such/file", "cannot read the earlier run '/no/such/file'"),
        (
          bad.path,
          "cannot compare with '\(bad.path)', which is no report of 'lapwing bench': it is 'lapwing.run/1', not "
            + "'lapwing.bench/1'"
        ),
        (Program.path, "cannot compare with '\(Program.path)'"),
      ] {
        let result = try Program.run(["bench", "tsc", "--compare", path])
        #expect(result.status == 65)
        #expect(result.output == "")
        #expect(result.errors.contains(message) || result.errors.contains("is larger than"))
      }
      let svg = try Program.run(["bench", "tsc", "--svg", "/no/such/folder/a.svg"])
      #expect(svg.status == 65 && svg.output == "")
    }
  }

  @Test(.needsKVM) func `a run writes its report and its drawing, and the next compares with it`() throws {
    try withFolder { folder in
      let (file, svg) = (folder.appending(path: "a.json"), folder.appending(path: "a.svg"))
      let options = ["bench", "exit.cpuid", "snapshot", "--rounds", "2", "--samples", "10"]
      let first = try Program.run(options + ["--format", "json", "--output", file.path, "--svg", svg.path])
      #expect(first.status == 0 && first.errors == "")
      #expect(first.output.contains("2 measured, 0 failed, 0 skipped; 2 rounds of 10 samples each"))
      #expect(first.output.contains(#/(?m)^  snapshot.pause  .* 20$/#))
      #expect(try String(contentsOf: svg, encoding: .utf8).hasPrefix("<svg "))
      let second = try Program.run(options + ["--compare", file.path, "--format", "json"])
      #expect(second.status == 0)
      let report = try BenchReport(json: Array(second.output.utf8))
      #expect(report.success && report.measurements.map(\.state) == [.measured, .measured])
      let comparison = try #require(report.comparison)
      #expect(comparison.differences.map(\.figure) == ["p50", "p90", "p50", "p90"])
      // Two rounds against two prove nothing, whatever they are.
      #expect(comparison.differences.allSatisfy { $0.verdict == .notShown })
      #expect(comparison.notes.contains { $0.contains("too few") })
    }
  }
}
