import ArgumentParser
import BuiltInGuests
import Reports
import Support
import SystemPackage
import VMM

/// A guest as people name it: one that is built in, or the path of an image.
struct GuestArgument: ExpressibleByArgument {
  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind {
    .list(BuiltInGuest.all.map(\.name))
  }

  /// The path of its file; nil where it is built in.
  var fileName: String? { BuiltInGuest.named(name) == nil ? name : nil }

  /// Whether a name is that of a file with a machine's state: a JSON document, where images begin with something else.
  static func isSnapshot(_ name: String) -> Bool {
    // To open a pipe may take until somebody writes to it, and what is read from it is gone.
    guard BuiltInGuest.named(name) == nil, HostFile.kind(of: FilePath(name)) == .regular,
      let file = try? FileDescriptor.open(FilePath(name), .readOnly)
    else {
      return false
    }
    var first: [UInt8] = [0]
    // Sound: the call writes at most as many bytes as the buffer has.
    let count = try? file.closeAfter { try unsafe first.withUnsafeMutableBytes { try unsafe file.read(into: $0) } }
    return count == 1 && first[0] == UInt8(ascii: "{")
  }

  /// The image: built in where there is one of that name, else the file.
  ///
  /// - Parameter patience: how long a pipe may take to its end.
  func image(within patience: Duration? = nil) throws(Failure) -> GuestImage {
    if let guest = BuiltInGuest.named(name) { return guest.image }
    do throws(ImageError) {
      return try GuestImage(file: FilePath(name), acceptsPipes: true, patience: patience)
    } catch .file(.unreadable(.noSuchFileOrDirectory)) {
      let meant = Suggestion.nearest(to: name, in: BuiltInGuest.all.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure("there is no guest '\(name)': neither built in (see 'lapwing list') nor a file\(meant)", .badFile)
    } catch .file(let error) {
      throw Failure(error, "the guest '\(name)'")
    } catch {
      throw Failure("the guest '\(name)': \(error)", .badFile)
    }
  }
}

/// A file that `lapwing bench --format json` wrote, to compare with.
struct EarlierRun: ExpressibleByArgument {
  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind { .file(extensions: ["json"]) }

  /// The report in the file.
  func report() throws(Failure) -> BenchReport {
    let bytes = try readInput(name, as: "the earlier run ", limit: BenchReport.sizeLimit)
    do {
      return try BenchReport(json: bytes)
    } catch {
      throw Failure("cannot compare with '\(name)', which is no report of 'lapwing bench': \(error)", .badFile)
    }
  }
}
