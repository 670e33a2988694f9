import SystemPackage

/// A virtual machine that a process of this host runs, as KVM's folder in debugfs tells of it.
public struct RunningMachine: Hashable, Sendable {
  /// The id of the process, as the kernel's first PID namespace has it.
  public var process: Int32
  /// The number of the machine's descriptor in that process.
  public var descriptor: Int32
  /// The program's name (comm), which the process may have chosen; nil where the process cannot be seen.
  public var program: String?
  /// Its vCPUs, by id.
  public var vcpus: [RunningVCPU]
  /// Its folder in debugfs.
  var folder: FilePath

  /// `PID/FD`, by which it is known in a command.
  public var name: String { "\(process)/\(descriptor)" }

  /// Whether its local APICs are the kernel's; nil where nothing tells, as without vCPUs.
  public var hasKernelLocalAPIC: Bool?
}

/// A vCPU of such a machine.
public struct RunningVCPU: Hashable, Sendable {
  /// KVM's id of it, which its local APIC's is too in x2APIC mode.
  public var id: UInt32
  /// The kernel's id of the thread that runs it; nil where nothing tells, or it has none yet.
  public var thread: Int32?
  /// Whether the thread was told by its name alone, where the kernel does not say it.
  public var isThreadByName = false
}
