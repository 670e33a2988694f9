import Foundation
import FoundationXML
import Reports
import TestImages
import Testing

/// What others wrote: it is told, harmless and cut, and never as if the program had said it.
@Suite struct HostileInputTests {
  private static let text = "\u{1b}]0;owned\u{7}\nlapwing: passed\u{9b}2J\u{202e}"

  /// A folder of its own, for as long as the body runs.
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  /// Nothing in either stream that a terminal obeys but newlines.
  private func expectHarmless(
    _ result: Program.Result, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let harmful = (result.output + result.errors).unicodeScalars.filter {
      $0 != "\n" && [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
    }
    #expect(harmful.isEmpty, "\(what)", sourceLocation: sourceLocation)
    let lines = (result.output + result.errors).split(separator: "\n")
    #expect(!lines.contains { $0.hasPrefix("lapwing: passed") }, "\(what)", sourceLocation: sourceLocation)
    #expect(result.errors.utf8.count < 20_000, "\(what)", sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    ["run"], ["restore"], ["inspect"], ["diff", "x"], ["compare", "x"], ["kut", "--config"],
    ["bench", "exit", "--compare"],
    ["test"], ["bench"], ["run", "hello", "--cpu"], ["run", "hello", "--vcpus"],
    ["snapshot", "hello", "-o", "/nowhere/x", "--at"],
    ["run", "hello", "--"], ["no\u{1b}such"], ["list", "--format"], ["kut"],
  ])
  func `an argument is quoted escaped and cut`(arguments: [String]) throws {
    for text in [Self.text, "--" + Self.text, String(repeating: Self.text, count: 3000)] {
      let result = try Program.run(arguments + [text])
      #expect(result.status != 0 || arguments == ["kut"])
      expectHarmless(result, "\(arguments)")
    }
  }

  @Test func `a document's names and texts are quoted escaped and cut`() throws {
    try withFolder { folder in
      let escaped = try String(decoding: JSONEncoder().encode(Self.text), as: UTF8.self)
      let long = "\"" + String(repeating: "\u{301}\u{1f1e6}", count: 500_000) + "\""
      for name in [escaped, long] {
        for document in [
          "{\(name): 1, \(name): 2}", "{\"format\": \(name)}", "{\"schema\": \(name)}",
          "{\"format\": \"lapwing.machine-state\", \"version\": \(name)}",
          "{\"schema\": \"lapwing.test/1\", \"success\": \(name)}", name,
        ] {
          let file = folder.appendingPathComponent("x.json")
          try Data(document.utf8).write(to: file)
          for command in [["restore"], ["inspect"], ["diff", file.path], ["compare", file.path]] {
            let result = try Program.run(command + [file.path])
            #expect(result.status == 65, "\(command)")
            expectHarmless(result, "\(command)")
          }
          let bench = try Program.run(["bench", "exit.cpuid", "--compare", file.path])
          #expect(bench.status == 65)
          expectHarmless(bench, "bench")
        }
      }
    }
  }

  @Test func `a document of tens of millions of values is refused before room is made for them`() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("x.json")
      try Data(("[" + String(repeating: "[],", count: 10_000_000) + "[]]").utf8).write(to: file)
      for command in [["restore"], ["inspect"], ["compare", file.path], ["bench", "exit.cpuid", "--compare"]] {
        // In kibibytes: the file twice, and the little that remains.
        let result = try Program.run(
          command + [file.path], through: ["/bin/sh", "-c", "ulimit -v 600000; exec \"$0\" \"$@\""])
        #expect(result.status == 65 && !result.wasKilled, "\(command)")
        #expect(result.errors.contains(" values"), "\(result.errors)")
      }
    }
  }

  @Test func `nothing is read of a file whose size says that it is too large`() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("sparse")
      try Data().write(to: file)
      let handle = try FileHandle(forWritingTo: file)
      try handle.truncate(atOffset: 1 << 40)
      try handle.close()
      for command in [
        ["run"], ["restore"], ["compare", file.path], ["report", "merge"], ["kut"],
        ["bench", "exit.cpuid", "--compare"],
      ] {
        // In kibibytes: not enough for what would be read.
        let result = try Program.run(
          command + [file.path], through: ["/bin/sh", "-c", "ulimit -v 260000; exec \"$0\" \"$@\""])
        #expect([1, 65].contains(result.status) && !result.wasKilled, "\(command)")
        let told = result.output + result.errors
        #expect(told.contains("is larger than"), "\(command): \(told)")
      }
    }
  }

  @Test(.needsKVM) func `a snapshot's texts are shown escaped, and numbers that cannot be are the file's fault`() throws
  {
    try withFolder { folder in
      let file = folder.appendingPathComponent("a.json")
      #expect(try Program.run(["snapshot", "hello", "--at", "exit:1", "-o", file.path]).status == 0)
      let text = try String(contentsOf: file, encoding: .utf8)
      func changed(_ pattern: Regex<Substring>, _ new: String) throws {
        let range = try #require(text.firstRange(of: pattern), "no \(new) in the document")
        try Data(text.replacingCharacters(in: range, with: new).utf8).write(to: file)
      }
      let escaped = try String(decoding: JSONEncoder().encode(Self.text), as: UTF8.self)
      for (pattern, new) in [
        (#/"guest": "hello"/#, "\"guest\": \(escaped)"), (#/"kernel": "[^"]*"/#, "\"kernel\": \(escaped)"),
        (#/"file": "[^"]*"/#, "\"file\": \(escaped)"), (#/"name": "serial"/#, "\"name\": \(escaped)"),
        (#/"rax":/#, "\(escaped): 1, \"rax\":"), (#/"mpState": "[a-z]*"/#, "\"mpState\": \(escaped)"),
      ] as [(Regex<Substring>, String)] {
        try changed(pattern, new)
        for command in [["restore"], ["inspect"], ["diff", file.path], ["inspect", "--format", "json"]] {
          expectHarmless(try Program.run(command + [file.path]), "\(command) with \(new)")
        }
      }
      for (pattern, new) in [
        (#/"bootCPU": [^,\n]*/#, "\"bootCPU\": \"0xffffffff\""),
        (#/"tssAddress": [^,\n]*/#, "\"tssAddress\": \"0xfffff001\""),
        (#/"identityMapAddress": [^,\n]*/#, "\"identityMapAddress\": \"0x1000\""),
        (#/"tscKHz": [0-9]+/#, "\"tscKHz\": 4294967295"), (#/"tscKHz": [0-9]+/#, "\"tscKHz\": 1"),
        (#/"arguments": \["0x3"/#, "\"arguments\": [\"0x10\""),
        (#/"vcpuIDs": \[\]/#, "\"vcpuIDs\": [\"0xfffffffe\"]"),
      ] as [(Regex<Substring>, String)] {
        try changed(pattern, new)
        let result = try Program.run(["restore", file.path])
        #expect(result.status == 65, "\(new): \(result.status) \(result.errors)")
        #expect(!result.errors.contains("EPERM"))
      }
    }
  }

  @Test(.needsKVM) func `what an image of kvm-unit-tests prints is the image's in every format`() throws {
    try withFolder { folder in
      let forged =
        "PASS: a\u{1b}[2J\rok 1 all\nFAIL: b\u{9b}31m\u{202e}]]>&<\nok      forged\n# SKIP\nnot ok 7 forged\n"
      try Data(MultibootImage(code: Code(.protected).print(forged).debugExit(1).bytes).bytes)
        .write(to: folder.appendingPathComponent("x.flat"))
      let configuration =
        "[na\u{1b}me\u{202e}]\nfile = x.flat\ngroups = gr\u{9b}oup\n[other]\nfile = x.flat\narch = \u{1b}\n"
      let config = folder.appendingPathComponent("unittests.cfg")
      try Data(configuration.utf8).write(to: config)
      for format in ["human", "ktap", "junit", "json"] {
        let result = try Program.run(["kut", "--config", config.path, "--format", format])
        #expect(result.status == 1)
        expectHarmless(result, format)
        let lines = (result.output + result.errors).split(separator: "\n")
        #expect(
          !lines.contains { $0.hasPrefix("ok      forged") || $0.hasPrefix("not ok 7") || $0.hasPrefix("ok 1 all") })
        if format == "human" { #expect(lines.contains("    | ok      forged")) }
        if format == "junit" { #expect(XMLParser(data: Data(result.output.utf8)).parse()) }
        if format == "json" {
          let report = try JSONDecoder().decode(SuiteReport.self, from: Data(result.output.utf8))
          #expect(report.cases[0].failure?.console == forged)
        }
      }
      expectHarmless(try Program.run(["kut", "--config", config.path, "--list"]), "--list")
    }
  }

  @Test(.needsKVM) func `the console of a run is the guest's, byte for byte`() throws {
    let printed = "\u{1b}[1mbold\u{9b}\u{202e}\r\n"
    let image = try GuestFile(MultibootImage(code: Code(.protected).print(printed).debugExit(0).bytes).bytes)
    #expect(try Program.run(["run", image.path, "--quiet"]).output == printed)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + self[range.upperBound...]
  }
}
