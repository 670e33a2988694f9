import Foundation
import TestImages
import Testing

/// One file for two things, of which one would take the place of the other.
@Suite(.needsKVM) struct OneFileTests {
  @Test func `one file for two things is refused, however it is named`() throws {
    let folder = try Folder()
    try FileManager.default.createSymbolicLink(atPath: folder.path("link.svg"), withDestinationPath: "a.svg")
    let bench = ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10", "--output", folder.path("a.svg"), "--svg"]
    for other in ["a.svg", "./a.svg", "link.svg"] {
      let result = try Program.run(bench + [folder.path(other)])
      #expect(result.status == 64 && result.errors.contains("name one file"), "\(other): \(result.errors)")
    }
    let name = folder.path("a.svg")
    #expect(try Program.run(["test", "ipi.self.x2apic", "--output", name, "--timeline", name]).status == 64)
    #expect(try Program.run(["explore", "--fault", "lost-eoi", "--output", name, "--report", name]).status == 64)
    try #require(try Program.run(["list", "--image", "hello", "--output", folder.path("hello")]).status == 0)
    let before = try folder.listing
    let hello = folder.path("hello")
    #expect(try Program.run(["snapshot", hello, "--at", "exit:2", "--output", hello]).status == 64)
    #expect(try Program.run(["kut", hello, "--output", hello]).status == 64)
    #expect(try folder.listing == before)
  }

  @Test func `reports are not merged into one of them`() throws {
    let folder = try Folder()
    let report = folder.path("report.json")
    let test = ["test", "ipi.self.x2apic", "--format", "json", "--output", report]
    try #require(try Program.run(test).status == 0)
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "report.json")
    let before = try Data(contentsOf: URL(fileURLWithPath: report))
    for output in [report, folder.path("link")] {
      let result = try Program.run(["report", "merge", report, "--output", output])
      #expect(result.status == 64 && result.errors.contains("name one file"), "\(result.errors)")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: report)) == before)
  }

  @Test func `an output does not take the place of what is read or of a guest's disk`() throws {
    let folder = try Folder()
    let image = folder.path("hello.html")
    try #require(try Program.run(["list", "--image", "hello", "--output", image]).status == 0)
    let state = folder.path("state.html")
    try #require(try Program.run(["snapshot", "hello", "--at", "exit:2", "--output", state]).status == 0)
    let kernel = folder.path("kernel")
    try Data(ReportingKernel.bzImage.bytes).write(to: URL(fileURLWithPath: kernel))
    let text = folder.path("text.html")
    try folder.write(String(repeating: " ", count: 4096), to: "text.html")
    try folder.write("[a]\nfile = hello.html\n[b]\nfile = state.html\n", to: "config")
    let environment = folder.path("environment")
    try folder.write("A=1\n", to: "environment")
    let before = try folder.listing
    for arguments in [
      ["run", image, "--timeline", image], ["restore", state, "--timeline", state],
      ["run", "hello", "--input", text, "--timeline", text],
      ["run", "hello", "--control", folder.path("new.html"), "--timeline", folder.path("new.html")],
      ["run", "hello", "--gdb", folder.path("new.html"), "--timeline", folder.path("new.html")],
      ["run", "hello", "--control", folder.path("new"), "--gdb", folder.path("new")],
      ["run", "hello", "--inject-file", text, "--timeline", text],
      ["run", "hello", "--disk", text, "--timeline", text], ["restore", state, "--input", text, "--timeline", text],
      ["run", kernel, "--initrd", text, "--timeline", text], ["run", kernel, "--init", text, "--timeline", text],
      ["snapshot", "hello", "--disk", text, "--at", "exit:2", "--output", text],
      ["snapshot", "hello", "--disk", text + ",ro", "--at", "exit:2", "--output", text],
      ["snapshot", kernel, "--initrd", text, "--at", "exit:2", "--output", text],
      ["kut", "--config", folder.path("config"), "--output", image],
      ["kut", "--config", folder.path("config"), "a", "--output", state],
      ["kut", image, "--environment", environment, "--output", environment],
    ] {
      let result = try Program.run(arguments)
      #expect(result.status == 64 && result.errors.contains("name one file"), "\(arguments): \(result.errors)")
      #expect(try folder.listing == before, "\(arguments)")
    }
  }
}
