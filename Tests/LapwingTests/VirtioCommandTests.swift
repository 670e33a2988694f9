import Foundation
import TestImages
import Testing

/// Virtio devices as a user gives them to a guest.
@Suite(.needsKVM) struct VirtioCommandTests {
  @Test func `a snapshot of a machine with a disk wants it named again, of the same size`() throws {
    let folder = try Folder()
    let (file, disk) = (folder.path("s.json"), folder.path("disk.img"))
    try Data(count: 8 * 512).write(to: URL(filePath: disk))
    let options = ["virtio", "--rng", "--disk", disk, "-c", "2"]
    let snapshot = try Program.run(["snapshot"] + options + ["--at", "mark:a disk", "-o", file, "--quiet"])
    #expect(snapshot.status == 0, "\(snapshot.errors)")
    let unnamed = try Program.run(["restore", file])
    #expect(unnamed.status == 64)
    #expect(unnamed.errors.contains("the machine has 1 disk; name each with --disk FILE"), "\(unnamed.errors)")
    let readOnly = try Program.run(["restore", file, "--disk", disk + ",ro"])
    #expect(readOnly.status == 64)
    let other = folder.path("other.img")
    try Data(count: 16 * 512).write(to: URL(filePath: other))
    let larger = try Program.run(["restore", file, "--disk", other])
    #expect(larger.status == 65)
    #expect(larger.errors.contains("the disk had 8 sectors of 512 bytes"), "\(larger.errors)")
    let restored = try Program.run(["restore", file, "--disk", disk])
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    #expect(restored.output.contains("virtio: passed"))
  }

  @Test func `the guest says what it lacks`() throws {
    let result = try Program.run(["run", "virtio"])
    #expect(result.status == 1)
    #expect(result.output.contains("1 of 1 check failed: the machine has a virtio-rng (--rng)"), "\(result.output)")
  }

  @Test func `what cannot be a disk is refused before the guest runs`() throws {
    let folder = try Folder()
    let short = folder.path("short.img")
    try folder.write("no whole sector", to: "short.img")
    for (disk, said) in [
      (short, "it has 15 bytes"), (folder.path("none.img"), "No such file"), (folder.path("."), "it is a directory"),
    ] {
      let result = try Program.run(["run", "virtio", "--disk", disk])
      #expect(result.status == 65)
      #expect(result.errors.contains(said), "\(result.errors)")
    }
    let many = [String](repeating: "--rng", count: 1) + (0..<8).flatMap { _ in ["--disk", "/dev/zero,ro"] }
    #expect(try Program.run(["run", "virtio"] + many).status == 64)
  }
}
