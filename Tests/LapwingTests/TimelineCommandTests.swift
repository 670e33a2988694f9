import Foundation
import TestImages
import Testing

/// `--timeline`: the file is there as a whole at the end, or not at all.
@Suite(.needsKVM, .needsTracepoints) struct TimelineCommandTests {
  private static let beginnings = ["pftrace": "\n", "html": "<!doctype html>", "svg": "<svg"]

  @Test(arguments: ["pftrace", "html", "svg"])
  func `a run, what goes on from a snapshot and the suite write each kind of timeline`(ending: String) throws {
    let folder = try Folder()
    let state = folder.path("state")
    let taken = try Program.run(["snapshot", "msi", "--vcpus", "2", "--at", "exit:3", "--quiet", "--output", state])
    #expect(taken.status == 0, "\(taken.errors)")
    let suite = ["test", "ipi.self.x2apic", "msi.halted.x2apic", "--jobs", "2"]
    for command in [["run", "hello"], ["restore", state], suite] {
      let file = folder.path("timeline.\(ending)")
      let result = try Program.run(command + ["--timeline", file])
      #expect(result.status == 0 && !result.output.contains("how they got there"), "\(command): \(result.errors)")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(bytes.starts(with: Data((Self.beginnings[ending] ?? "").utf8)) && bytes.count > 100, "\(command)")
    }
    #expect(folder.names == ["state", "state.memory", "timeline.\(ending)"])
  }

  @Test func `a name with another ending is wrong usage, and says which there are`() throws {
    for name in ["a.json", "a", "a.svg.gz", ""] {
      let result = try Program.run(["run", "hello", "--timeline", name])
      #expect(result.status == 64 && result.errors.contains(".pftrace, .html or .svg"), "\(name): \(result.errors)")
    }
    #expect(try Program.run(["test", "--list", "--timeline", "a.svg"]).status == 64)
  }

  @Test func `a place where nothing can be written is refused before the guest runs`() throws {
    let folder = try Folder()
    try folder.makeNode("pipe.svg", S_IFIFO)
    try FileManager.default.createDirectory(atPath: folder.path("folder.svg"), withIntermediateDirectories: false)
    let before = try folder.listing
    for name in ["missing/a.svg", "pipe.svg", "folder.svg"] {
      let result = try Program.run(["run", "hello", "--timeline", folder.path(name)])
      #expect(result.status == 65 && result.output.isEmpty, "\(name): \(result.status) \(result.errors)")
      #expect(result.errors.contains("cannot write '\(folder.path(name))'"))
    }
    #expect(try folder.listing == before)
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `on a full disk the run is told of, the status is 65, and nothing is left`() throws {
    let disk = [
      "/usr/bin/unshare", "-m", "/bin/sh", "-c",
      """
      mount -t tmpfs -o size=16k none /mnt && echo precious >/mnt/a.html && "$0" "$@"; status=$?; ls -A /mnt; cat /mnt/*
      exit $status
      """,
    ]
    let result = try Program.run(["run", "hello", "--timeline", "/mnt/a.html"], through: disk)
    #expect(result.status == 65, "\(result.status) \(result.errors)")
    #expect(result.output.contains("hello: passed") && result.output.hasSuffix("a.html\nprecious\n"))
    #expect(result.errors.contains("cannot write the timeline '/mnt/a.html': No space left on device"))
  }

  @Test func `a run that is asked to end completes its timeline, and one that is killed leaves nothing`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes)
    for (signal, names) in [(SIGTERM, ["a.svg"]), (SIGKILL, [])] {
      try? FileManager.default.removeItem(atPath: folder.path("a.svg"))
      let program = try Program(["run", guest.path, "--timeout", "1m", "--timeline", folder.path("a.svg")])
      #expect(program.wait { program.outputSoFar.contains("up\n") })
      #expect(folder.names == [])
      program.signal(signal)
      let result = try program.result()
      #expect(result.wasKilled == (signal == SIGKILL))
      #expect(folder.names == names, "\(signal)")
    }
  }
}
