import Foundation
import Testing

/// A folder that goes with the test.
final class Folder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  func text(_ name: String) throws -> String {
    try String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)
  }
  func write(_ text: String, to name: String) throws {
    try text.write(to: url.appendingPathComponent(name), atomically: true, encoding: .utf8)
  }
  /// Makes a pipe, a socket or a device (mknod(2)), for this user alone.
  func makeNode(_ name: String, _ kind: mode_t, major: UInt = 0, minor: UInt = 0) throws {
    // Sound: the path is NUL-terminated and outlives the call.
    try #require(unsafe mknod(path(name), kind | 0o600, major << 8 | minor) == 0)
  }

  /// Gives a symbolic link to a user who owns nothing else.
  func giveAway(_ name: String) throws {
    // Sound: as above.
    try #require(unsafe lchown(path(name), 65534, 65534) == 0)
  }

  /// Sets the permissions of something in the folder, or of the folder.
  func permit(_ permissions: Int, _ name: String? = nil) throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: permissions], ofItemAtPath: name.map(path) ?? url.path)
  }

  /// What is there, all the way down: names, kinds and contents.
  var listing: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted().map { name in
        let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
        let type = attributes[.type] as? FileAttributeType
        return "\(name) \(type?.rawValue ?? "") \(type == .typeRegular ? try contents(name) : "")"
      }
    }
  }

  private func contents(_ name: String) throws -> String {
    try Data(contentsOf: url.appendingPathComponent(name)).base64EncodedString()
  }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
  }
}
