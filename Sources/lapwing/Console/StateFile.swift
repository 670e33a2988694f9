import ArgumentParser
public import ForeignStates
import MachineState
import Rules
import Support
import SystemPackage

/// A file with a state that a person names: Lapwing's own, or another program's.
struct StateFile {
  /// Its path; `-` for standard input.
  let name: String
  let content: StateContent

  /// Reads a file and says what it is.
  ///
  /// - Parameters:
  ///   - name: its path; `-` for standard input.
  ///   - source: what it is; nil to find out by its content.
  /// - Throws: `Failure` for a file that cannot be read, or is none of the formats.
  init(_ name: String, as source: StateSource?) throws(Failure) {
    self.name = name
    content = try Self.read(name) { (bytes) throws(ForeignStateError) in
      var reader = StateReader(bytes, as: source)
      return try reader.read()
    }
    if case .lapwing(let document) = content { document.noteUnknownMembers(of: name) }
  }

  /// Reads a file in a way of one's own.
  ///
  /// - Parameters:
  ///   - name: its path; `-` for standard input.
  ///   - body: what takes its bytes.
  /// - Throws: `Failure` for a file that cannot be read, or is not what was expected.
  static func read<Value>(
    _ name: String, _ body: (ByteSource) throws(ForeignStateError) -> Value
  ) throws(Failure) -> Value {
    let input: FileInput
    do throws(HostFileError) {
      input = name == "-" ? .standardInput : try FileInput(path(name))
    } catch {
      throw Failure(error, "'\(name)'")
    }
    do throws(ForeignStateError) {
      return try body(ByteSource(input))
    } catch {
      let place: TextLine = error.offset.map { "at byte 0x\(String($0, radix: 16)): " } ?? ""
      throw Failure("'\(name)' is not \(error.format.words): \(place)\(error.problem)", .badFile)
    }
  }

  /// The file itself; of a folder, which is one of Cloud Hypervisor's snapshots, its state.
  private static func path(_ name: String) -> FilePath {
    let path = FilePath(name)
    return HostFile.kind(of: path) == .directory ? path.appending("state.json") : path
  }

  /// The state as far as the file holds it.
  var state: InspectableState { content.state }

  /// The guest memory that belongs to a state of Lapwing's own; nil where there is none, as beside a pipe.
  ///
  /// - Throws: `Failure` for memory that is not there or is damaged.
  func memory() throws(Failure) -> MemoryImage? {
    guard case .lapwing(let document) = content, document.state.memory != nil, name != "-",
      HostFile.kind(of: FilePath(name)) == .regular
    else { return nil }
    do throws(SnapshotFileError) {
      return try SnapshotFile(FilePath(name)).read().memory
    } catch {
      throw Failure(error)
    }
  }
}

extension StateSource: ArgumentChoice {}

/// What the files of `inspect` and `diff` are, from the command line.
struct StateSourceOptions: ParsableArguments {
  @Option(
    help: """
      What FILE is, where its content does not tell: lapwing, qemu (a migration stream), monitor (text of QEMU's), page \
      (struct kvm_lapic_state, several, or a hex dump), apic-page (virtual-APIC pages of 4 KiB), cloud-hypervisor \
      (state.json, or its folder), firecracker (vmstate).
      """)
  var from: StateSource?

  @Flag(help: "The same as --from page.")
  var page = false

  var source: StateSource? { page ? .page : from }

  func validate() throws {
    guard !page || from == nil || from == .page else { throw ValidationError("--page and --from say different things") }
  }
}

extension MachineState {
  /// Says on standard error what a guest will trip over that goes on from this state: the contradictions in it.
  ///
  /// - Parameter file: the state's file.
  func warnOfContradictions(in file: String) {
    let findings = InspectableState(self).findings().filter { $0.certainty == .contradiction }
    for finding in findings.prefix(8) {
      StandardError.print("lapwing: '\(file)': \(finding.owner): \(finding.seen) (\(finding.rule))")
    }
    guard !findings.isEmpty else { return }
    let rest = findings.count > 8 ? ", \(findings.count - 8) more" : ""
    StandardError.print("lapwing: the guest may hang\(rest); 'lapwing inspect --check \(TextLine(file))' says why")
  }
}
