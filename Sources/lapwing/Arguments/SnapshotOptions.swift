import ArgumentParser
import SystemPackage

/// Snapshots of a guest that runs, at a signal or a failure: what `run` and `restore` have in common.
struct SnapshotOptions: ParsableArguments {
  @Option(
    help:
      "Take a snapshot whenever this signal comes: USR1, USR2, HUP or QUIT; or, with failure, once the guest has failed."
  )
  var snapshotOn: SnapshotOccasion?

  @Option(
    help: """
      The snapshots' files, with %d for a number: the first that is not taken. By default the guest's name, a number and \
      .json, in the current folder.
      """)
  var snapshotFile: NumberedFile?

  func validate() throws {
    if snapshotFile != nil, snapshotOn == nil { throw ValidationError("--snapshot-file needs --snapshot-on") }
  }

  /// What takes them; nil where none were asked for.
  func snapshots(of guest: String) -> NumberedSnapshots? {
    guard let snapshotOn else { return nil }
    let name = FilePath(guest).lastComponent?.string ?? "guest"
    guard let file = snapshotFile ?? NumberedFile(argument: name + ".%d.json") else { return nil }
    return NumberedSnapshots(snapshotOn, file, guest: guest)
  }
}
