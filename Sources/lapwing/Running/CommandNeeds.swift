import Confinement
import Evidence
import MachineState
import Support
import SystemPackage
import VMM

/// What a command still has to do once its process is confined, as it comes from its options.
struct CommandNeeds {
  /// That, as the process is confined.
  private(set) var confinement = Confinement(exitStatus: ExitStatus.internalFault.rawValue)

  private mutating func add(_ path: FilePath, _ purpose: PathGrant.Purpose) {
    confinement.paths?.append(PathGrant(path.string, purpose))
  }

  /// Reads files; `-` is standard input, which is open.
  mutating func read(_ names: String?...) { read(names) }

  /// Reads files.
  mutating func read(_ names: [String?]) {
    for case let name? in names where name != "-" { add(FilePath(name), .input) }
  }

  /// Reads a state: a snapshot's memory is beside it, or beside the file that a link leads to, by a name in the document.
  mutating func readState(_ name: String?) {
    guard let name, name != "-" else { return }
    read(name)
    let path = FilePath(name)
    add(path.folder, .input)
    if let folder = HostFile.resolved(path)?.removingLastComponent() { add(folder, .input) }
    // The memory itself may be a link to elsewhere.
    for memory in SnapshotFile.memoryNames(of: path) { add(path.folder.appending(memory), .input) }
  }

  /// Reads a disk, and writes to it if the guest may.
  mutating func use(_ disks: [DiskArgument]) {
    for disk in disks { add(FilePath(disk.disk.path), disk.disk.isReadOnly ? .input : .device) }
  }

  /// Writes outputs; what cannot be one is told later.
  mutating func write(_ names: String?...) {
    for case let name? in names {
      switch OutputFile.target(of: FilePath(name)) {
      case .folder(let folder): write(below: folder)
      case .stream(let path): add(path, .device)
      case nil: continue
      }
    }
  }

  /// Writes files into a folder, and keeps their owners and permissions.
  mutating func write(below folder: FilePath) {
    add(folder, .output)
    confinement.capabilities.formUnion([.chown, .fileOwner])
  }

  /// Listens where programs of this host connect to.
  mutating func listen(at address: LocalListener.Address) {
    switch address {
    case .port(let port):
      confinement.port = port
      if port < 1024 { confinement.capabilities.insert(.lowPorts) }
    case .path(let path):
      confinement.listensAtFiles = true
      add(path.folder, .socket)
    }
  }

  /// Records interrupts by tracepoints, if this host lets this user. What has to be mounted for it is mounted now.
  mutating func record() {
    // Where it is by custom: KVM's module, with its tracepoints, may be loaded once /dev/kvm is opened.
    let places: [FilePath] = ["/sys/kernel/tracing/instances", "/sys/kernel/debug/tracing/instances"]
    for place in [TracePool.open()].compactMap({ $0 }) + places { add(place, .trace) }
  }

  /// Looks at other processes, which Landlock would keep it from (ptrace(2), "Ptrace access mode checking").
  mutating func watchProcesses() {
    confinement.paths = nil
    confinement.capabilities.insert(.inspectProcesses)
  }
}
