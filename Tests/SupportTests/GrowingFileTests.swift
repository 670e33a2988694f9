import Foundation
import SystemPackage
import Testing

@testable import Support

@Suite struct GrowingFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lw-\(UUID().uuidString)")

  private func begin(_ spools: Bool) throws -> GrowingFile {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let output = try OutputFile(FilePath(folder.appendingPathComponent("file").path), permissions: [.ownerReadWrite])
    return try GrowingFile(output, asSpool: spools)
  }

  private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] }

  @Test(arguments: [false, true])
  func `a file takes its name at the end alone, where files without one can be named and where not`(spools: Bool) throws
  {
    defer { try? FileManager.default.removeItem(at: folder) }
    var file = try begin(spools)
    let piece = [UInt8](repeating: 0x61, count: 100_000)
    for _ in 0..<7 {
      try file.append(piece)
      #expect(names == [])
    }
    try file.commit()
    #expect(names == ["file"])
    let bytes = try Data(contentsOf: folder.appendingPathComponent("file"))
    #expect(bytes.count == 700_000 && bytes.allSatisfy { $0 == 0x61 })
  }

  @Test(arguments: [false, true])
  func `a file that is let go of leaves nothing`(spools: Bool) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      var file = try begin(spools)
      try file.append([1, 2, 3])
    }
    #expect(names == [])
  }
}
