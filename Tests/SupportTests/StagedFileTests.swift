import Foundation
import SystemPackage
import Testing

@testable import Support

/// Files that are made under another name first, where a file system has none without a name.
@Suite struct StagedFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString)")

  private func path(_ name: String) -> FilePath { FilePath(folder.appendingPathComponent(name).path) }

  private func errno(_ name: String) -> Errno? {
    do throws(Errno) {
      let file = try StagedFile.create(path(name), .writeOnly, [.ownerReadWrite])
      try? file.close()
      return nil
    } catch {
      return error
    }
  }

  @Test func `a file that is there already is not opened, and no link is followed`() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let victim = folder.appendingPathComponent("victim")
    try Data("kept".utf8).write(to: victim)
    for (link, target) in [("link", "victim"), ("dangling", "absent")] {
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent(link), withDestinationURL: folder.appendingPathComponent(target))
    }
    for name in ["victim", "link", "dangling"] { #expect(errno(name) == .fileExists, "\(name)") }
    #expect(try Data(contentsOf: victim) == Data("kept".utf8))
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("absent").path))
    #expect(errno("new") == nil)
  }
}
