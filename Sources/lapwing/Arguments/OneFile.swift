import Support
import SystemPackage

/// Refuses one file for two things, of which the second would take the place of the first.
///
/// - Parameters:
///   - first: what is read or written, such as `--output`, and the file's name; nothing is refused without one.
///   - second: what is written, and the file's name.
/// - Throws: `Failure` with 64, before anything is written.
func refuseOneFile(
  for first: (what: TextLine, name: String?), and second: (what: TextLine, name: String?)
) throws(Failure) {
  guard let name = first.name, let other = second.name,
    OutputFile.leadToOneFile(FilePath(name), FilePath(other))
  else { return }
  throw Failure("\(first.what) and \(second.what) name one file, '\(other)'", .usage)
}
