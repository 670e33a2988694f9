import Foundation
import Testing

/// What the inspector makes of snapshots of guests that ran.
@Suite struct InspectSnapshotTests {
  /// A folder of its own, for as long as the body runs.
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test(.needsKVM) func `a snapshot is inspected and compared with another one, memory and all`() throws {
    try withFolder { folder in
      let files = ["a", "b"].map { folder.appendingPathComponent($0).path }
      for (file, exit) in zip(files, ["exit:1", "exit:2"]) {
        #expect(try Program.run(["snapshot", "hello", "--at", exit, "-o", file]).status == 0)
      }
      let text = try Program.run(["inspect", files[0]])
      #expect(text.status == 0)
      #expect(text.output.hasPrefix("hello: 1 vCPU, 64 MiB, irqchip kernel\n"))
      #expect(text.output.contains("vCPU 0: runnable, "))
      let same = try Program.run(["diff", files[0], files[0]])
      #expect(same.status == 0)
      #expect(same.output == "the same state\n")
      let different = try Program.run(["diff", files[0], files[1]])
      #expect(different.status == 1)
      #expect(different.output.contains("\nanew in every capture: vCPU 0 IA32_TSC"))
      #expect(
        different.output.contains(#/\d+ registers? differs?, .* of memory differ/#)
          || different.output.contains("memory is the same"))
      // Beside a pipe there is no memory.
      let piped = try Program.run(
        ["diff", files[0], "/dev/fd/7"], through: ["/bin/sh", "-c", "cat \(files[0]) | exec \"$0\" \"$@\" 7<&0"])
      #expect(piped.status == 0 && piped.output == "the same state; memory was not compared\n", "\(piped.errors)")
      try FileManager.default.removeItem(atPath: files[1] + ".memory")
      #expect(try Program.run(["diff", files[0], files[1]]).status == 65)
      #expect(try Program.run(["diff", files[0], files[1], "--no-memory"]).status == 1)
    }
  }
}
