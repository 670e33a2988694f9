import APIC
import MachineState
import Reports
import Support
import SystemPackage

/// A file with a state that a person names: a machine's, or the register page of a local APIC alone.
enum StateFile {
  case machine(MachineState)
  case page(LocalAPICState)

  /// Reads a file and says what it is.
  ///
  /// - Parameters:
  ///   - name: its path.
  ///   - isPage: whether it is a page whatever it looks like.
  /// - Throws: `Failure` for a file that cannot be read, or is neither.
  static func read(_ name: String, isPage: Bool) throws(Failure) -> StateFile {
    let bytes: [UInt8]
    do {
      bytes = try HostFile.read(FilePath(name), limit: inputLimit, acceptsPipes: true)
    } catch {
      throw Failure("cannot read '\(name)': \(error)", .badFile)
    }
    // A document begins with a brace, and is longer than a page.
    let looksLikePage = bytes.count == LocalAPICState.pageSize && bytes.first != UInt8(ascii: "{")
    do throws(MalformedState) {
      if isPage || looksLikePage { return .page(try LocalAPICState(page: bytes)) }
      let document = try StateDocument(text: bytes)
      document.noteUnknownMembers(of: name)
      return .machine(document.state)
    } catch {
      let kind = isPage || looksLikePage ? "a register page of a local APIC" : "a machine's state"
      throw Failure("'\(name)' is not \(kind): \(error)", .badFile)
    }
  }

  /// The guest memory that belongs to a state.
  ///
  /// - Parameter name: the path of the state's file.
  /// - Throws: `Failure` for memory that is not there or is damaged.
  static func memory(of name: String) throws(Failure) -> MemoryImage {
    do throws(SnapshotFileError) {
      return try SnapshotFile(FilePath(name)).read().memory
    } catch {
      throw Failure(error)
    }
  }
}
