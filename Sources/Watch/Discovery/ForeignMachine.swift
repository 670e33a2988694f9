import SystemPackage

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
