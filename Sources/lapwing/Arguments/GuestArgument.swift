import ArgumentParser
import BuiltInGuests
import SystemPackage
import VMM

/// A guest as people name it: one that is built in, or the path of an image.
struct GuestArgument: ExpressibleByArgument {
  /// An image larger than this is no tiny guest; it is refused before it is read.
  private static let sizeLimit = 256 << 20

  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind {
    .list(BuiltInGuest.all.map(\.name))
  }

  /// The image: built in where there is one of that name, else the file.
  func image() throws(Failure) -> GuestImage {
    if let guest = BuiltInGuest.named(name) { return guest.image }
    do {
      return GuestImage(name: FilePath(name).lastComponent?.string ?? name, bytes: try contents(of: FilePath(name)))
    } catch let failure as Failure {
      throw failure
    } catch Errno.noSuchFileOrDirectory {
      throw Failure("there is no guest '\(name)': neither built in (see 'lapwing list') nor a file", .badInput)
    } catch {
      throw Failure("cannot read the guest '\(name)': \(error)", .badInput)
    }
  }

  private func contents(of path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
        if bytes.count > Self.sizeLimit {
          throw Failure("the guest '\(name)' is larger than \(Self.sizeLimit >> 20) MiB", .badInput)
        }
      }
    }
  }
}
