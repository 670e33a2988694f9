import Foundation

/// Where programs are.
enum Programs {
  /// One that is built beside this one.
  ///
  /// - Throws: `Failure` where it is not there.
  static func sibling(_ name: String) throws(Failure) -> String {
    // On Linux this is a link to the running program (proc(5)).
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return try executable(URL(filePath: program).deletingLastPathComponent().appending(path: name).path)
  }

  /// One that is named by its path.
  ///
  /// - Throws: `Failure` where it is not there.
  static func executable(_ path: String) throws(Failure) -> String {
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw Failure("there is no program \(path); scripts/compare builds what is needed", Failure.Status.missing)
    }
    return path
  }

  /// One that the host has; nil where it has none.
  static func inPath(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// A folder for what lasts no longer than this program.
struct TemporaryFolder {
  private let url = FileManager.default.temporaryDirectory.appending(path: "lapwing-compare-\(UUID().uuidString)")

  init() throws(Failure) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    } catch {
      throw Failure("\(url.path) cannot be created: \(error)", Failure.Status.internalFault)
    }
  }

  func file(_ name: String) -> String { url.appending(path: name).path }

  func remove() { try? FileManager.default.removeItem(at: url) }
}
