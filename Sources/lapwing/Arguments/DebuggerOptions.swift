import ArgumentParser
import Debugger
import KVM
import Support
import SystemPackage
import VMM

/// gdb for a guest that runs: what `run` and `restore` have in common.
struct DebuggerOptions: ParsableArguments {
  @Option(
    help: """
      Wait for gdb before the first instruction: at a TCP port of this host's loopback interface, 0 for one that is free, \
      or at a UNIX socket. docs/debugging.md has a session.
      """)
  var gdb: DebuggerAddress?

  /// Opens what gdb connects to, and finds out what this host's KVM does for it.
  ///
  /// - Returns: nil where gdb was not asked for.
  func open(besides snapshots: SnapshotOptions) throws(Failure) -> DebuggedRun? {
    guard let gdb else { return nil }
    guard snapshots.snapshotOn == nil else {
      throw Failure("--gdb and --snapshot-on: a snapshot would have gdb's breakpoints in it", .usage)
    }
    let listener: LocalListener
    do throws(Errno) {
      listener = try LocalListener(gdb.address)
    } catch {
      throw gdb.address.failure(of: "--gdb", error)
    }
    let kvm = try openKVM()
    do throws(MachineError) {
      return DebuggedRun(listener: listener, support: try DebugSupport(of: kvm))
    } catch {
      throw Failure(error)
    }
  }
}

/// Where gdb connects to, as people write it: a number is a port, anything else a path.
struct DebuggerAddress: ExpressibleByArgument {
  let address: LocalListener.Address

  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    if argument.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
      guard let port = UInt16(argument) else { return nil }
      address = .port(port)
    } else {
      address = .path(FilePath(argument))
    }
  }

  static var defaultCompletionKind: CompletionKind { .file() }
}
