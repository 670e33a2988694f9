import SystemPackage

/// Which machine somebody means: `PID` or `PID/FD`.
public struct MachineSelection: Hashable, Sendable {
  /// The id of the process.
  public var process: Int32
  /// The number of the machine's descriptor; nil where the process has one machine alone.
  public var descriptor: Int32?

  /// What a text says: nil where it is neither form.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let process = Int32(parts[0]), process > 0 else { return nil }
    self.process = process
    if parts.count == 2 {
      guard let descriptor = Int32(parts[1]), descriptor >= 0 else { return nil }
      self.descriptor = descriptor
    }
  }

  /// The machine that is meant.
  ///
  /// - Parameters:
  ///   - machines: all that there are.
  ///   - processes: what tells whether there is such a process at all.
  /// - Throws: `MachineMissing`.
  public func machine(
    among machines: [ForeignMachine], _ processes: HostProcesses = HostProcesses()
  ) throws(MachineMissing) -> ForeignMachine {
    let own = machines.filter { $0.process == process }
    guard !own.isEmpty else {
      throw processes.exists(process)
        ? .noMachine(process: process, name: processes.name(of: process)) : .noProcess(process)
    }
    guard let descriptor else {
      guard own.count == 1 else { throw .several(own.map(\.name)) }
      return own[0]
    }
    guard let found = own.first(where: { $0.descriptor == descriptor }) else {
      throw .noDescriptor(descriptor, those: own.map(\.name))
    }
    return found
  }
}

/// Why there is no machine to watch.
public enum MachineMissing: Error, Hashable, Sendable {
  /// There is no process with this id.
  case noProcess(Int32)
  /// The process runs no virtual machine.
  case noMachine(process: Int32, name: String?)
  /// The process has no machine with this descriptor; it has those.
  case noDescriptor(Int32, those: [String])
  /// The process has several machines: those.
  case several([String])
}

/// A virtual machine that a process of this host runs, as KVM's folder in debugfs tells of it.
public struct ForeignMachine: Hashable, Sendable {
  /// The id of the process; where it cannot be seen, that of the thread that made the machine, as the kernel's first PID
  /// namespace has it.
  public var process: Int32
  /// The number of the machine's descriptor in that process.
  public var descriptor: Int32
  /// The program's name (comm), which the process may have chosen; nil where the process cannot be seen.
  public var program: String?
  /// Its vCPUs, by id.
  public var vcpus: [ForeignVCPU]
  /// Its folder in debugfs.
  var folder: FilePath

  /// `PID/FD`, by which it is known in a command.
  public var name: String { "\(process)/\(descriptor)" }

  /// Whether its local APICs are the kernel's; nil where nothing tells, as without vCPUs.
  public var hasKernelLocalAPIC: Bool?

  init(process: Int32, descriptor: Int32, program: String?, vcpus: [ForeignVCPU], folder: FilePath) {
    self.process = process
    self.descriptor = descriptor
    self.program = program
    self.vcpus = vcpus
    self.folder = folder
  }

  /// A machine that has no folder, to measure what it costs to watch one.
  package init(process: Int32, threads: [Int32]) {
    let vcpus = threads.enumerated().map { ForeignVCPU(id: UInt32($0.offset), thread: $0.element) }
    self.init(process: process, descriptor: 0, program: nil, vcpus: vcpus, folder: "/proc/self/fd/-1")
  }
}

/// A vCPU of such a machine.
public struct ForeignVCPU: Hashable, Sendable {
  /// KVM's id of it, which its local APIC's is too in x2APIC mode.
  public var id: UInt32
  /// The kernel's id of the thread that runs it; nil where nothing tells, or it has none yet.
  public var thread: Int32?
  /// Whether the thread was told by its name alone, where the kernel does not say it.
  public var isThreadByName = false
}
