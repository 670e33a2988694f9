import ArgumentParser
import Support
import SystemPackage

/// The control socket: what `run` and `restore` have in common.
struct ControlOptions: ParsableArguments {
  @Option(
    help: """
      A UNIX socket that takes requests while the guest runs, a JSON object a line: docs/control.md has them. It is for \
      this user alone, and removed at the end.
      """, completion: .file())
  var control: String?

  /// Listens already; nil where none is asked for.
  func listener() throws(Failure) -> LocalListener? {
    guard let control else { return nil }
    let address = LocalListener.Address.path(FilePath(control))
    do throws(Errno) {
      return try LocalListener(address)
    } catch {
      throw address.failure(of: "--control", error)
    }
  }

  /// What may interrupt the guest from outside, in words.
  var sources: [String] { control == nil ? [] : ["a request at the control socket"] }
}
