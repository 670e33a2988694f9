import Foundation

/// An image in a temporary file, removed with this object.
final class GuestFile {
  let path: String

  init(_ bytes: [UInt8]) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString).img")
    try Data(bytes).write(to: file)
    path = file.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
