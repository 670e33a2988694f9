import Foundation

/// A disk image of zeros, which goes with this value.
final class TemporaryDisk {
  let path: String

  init(sectors: Int) throws {
    path = FileManager.default.temporaryDirectory.appending(path: "lapwing-disk-\(UUID().uuidString)").path
    try Data(count: sectors * 512).write(to: URL(filePath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
