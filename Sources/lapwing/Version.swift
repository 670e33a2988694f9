import CProcess

/// Which program this is.
enum Version {
  /// The release.
  static let number = "0.1.0"

  /// The release, and the commit of a package.
  static var text: String {
    // Sound: a literal of the program's own, which ends with a zero.
    let commit = unsafe String(cString: cprocess_commit())
    return commit.isEmpty ? number : "\(number) (\(commit))"
  }
}
