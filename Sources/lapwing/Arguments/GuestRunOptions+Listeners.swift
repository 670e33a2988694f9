import ArgumentParser
import Debugger
import KVM
import Support
import SystemPackage
import VMM

/// The control socket.
extension GuestRunOptions {
  func validateControl() throws {
    if !controlFolder.isEmpty, control == nil { throw ValidationError("--control-folder needs --control") }
  }

  /// The control socket's file, and what names it.
  var controlFiles: [(what: TextLine, name: String?)] { [("--control", control)] }

  /// What a client is told whose snapshot may not be written.
  static let snapshotRemedy =
    "; snapshots go below the folder that lapwing was started in, the socket's, and those of its option --control-folder"

  /// Says what the control socket needs: its folder, and those into which clients have snapshots written. The root folder has to be
  /// named to be one: a service may have it as its current folder.
  func describeControl(_ needs: inout CommandNeeds) {
    guard let control else { return }
    let path = FilePath(control)
    needs.listen(at: .path(path))
    for folder in [path.folder, FilePath(".")] where HostFile.resolved(folder)?.lastComponent != nil {
      needs.write(below: folder)
    }
    for folder in controlFolder { needs.write(below: FilePath(folder)) }
  }

  /// The control socket, which listens already; nil where none is asked for.
  func openControl() throws(Failure) -> LocalListener? {
    guard let control else { return nil }
    for folder in controlFolder where HostFile.kind(of: FilePath(folder)) != .directory {
      throw Failure("--control-folder '\(folder)': there is no such folder", .badFile)
    }
    let address = LocalListener.Address.path(FilePath(control))
    do throws(Errno) {
      return try LocalListener(address)
    } catch {
      throw address.failure(of: "--control", error)
    }
  }

  /// What may interrupt the guest by the control socket, in words.
  var controlSources: [String] { control == nil ? [] : ["a request at the control socket"] }
}

/// gdb.
extension GuestRunOptions {
  /// gdb's socket's file, and what names it.
  var debuggerFiles: [(what: TextLine, name: String?)] {
    guard case .path(let path)? = gdb?.address else { return [] }
    return [("--gdb", path.string)]
  }

  /// Opens what gdb connects to, and finds out what this host's KVM does for it.
  ///
  /// - Returns: nil where gdb was not asked for.
  func openDebugger() throws(Failure) -> DebuggedRun? {
    guard let gdb else { return nil }
    guard snapshotOn == nil else {
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

extension LocalListener.Address {
  /// Why nothing can connect there.
  func failure(of option: String, _ error: Errno) -> Failure {
    switch (self, error) {
    case (.port(let port), .addressInUse):
      Failure("\(option) \(port): another program listens at that port; 0 takes one that is free", .hostCannot)
    case (.port(let port), let error): Failure("\(option) \(port): \(error)", .hostCannot)
    case (.path(let path), .addressInUse):
      Failure("\(option) '\(path)': another program listens at that socket", .hostCannot)
    case (.path(let path), .fileExists):
      Failure("\(option) '\(path)': there is something else, which is left alone; name a path that is free", .badFile)
    case (.path(let path), .notPermitted):
      Failure("\(option) '\(path)': there is another user's socket; name a path that is free", .badFile)
    case (.path(let path), .fileNameTooLong):
      Failure("\(option) '\(path)': a socket's path has 107 bytes at most (unix(7))", .usage)
    case (.path(let path), let error): Failure("\(option) '\(path)': \(error)", .badFile)
    }
  }
}
