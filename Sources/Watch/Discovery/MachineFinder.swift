public import Evidence
import Support
public import SystemPackage

/// Finds the virtual machines of this host: a folder `TID-FD` each in debugfs, by the thread that made it, which may be any of
/// its process (kernel, virt/kvm/kvm_main.c, `kvm_create_vm_debugfs`).
public struct MachineFinder: Sendable {
  private let machines: FilePath
  private let processes: HostProcesses
  /// Keeps the mount.
  private let fileSystem: DebugFileSystem?

  /// More folders are no machines: KVM's limit on descriptors comes long before.
  private static let machineLimit = 4096
  /// KVM_MAX_VCPU_IDS of the largest kernels.
  private static let vcpuLimit = 16384

  /// The machines in a debugfs.
  public init(_ fileSystem: DebugFileSystem, processes: HostProcesses = HostProcesses()) {
    machines = fileSystem.machines
    self.processes = processes
    self.fileSystem = fileSystem
  }

  /// The machines in a folder that looks like debugfs's `kvm`.
  init(folder: FilePath, processes: HostProcesses) {
    machines = folder
    self.processes = processes
    fileSystem = nil
  }

  /// All machines, by process and descriptor.
  public func all() -> [ForeignMachine] {
    HostFile.names(in: machines).prefix(Self.machineLimit).compactMap { name in
      guard let (creator, descriptor) = Self.parse(name) else { return nil }
      return machine(madeBy: creator, descriptor, folder: machines.appending(name))
    }.sorted { ($0.process, $0.descriptor) < ($1.process, $1.descriptor) }
  }

  /// Whether a machine is still there.
  public func isThere(_ machine: ForeignMachine) -> Bool { HostFile.exists(machine.folder) }

  /// What a machine's folder is named: the thread that made it, and its descriptor.
  static func parse(_ name: String) -> (creator: Int32, descriptor: Int32)? {
    let parts = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, let creator = number(parts[0]), let descriptor = number(parts[1]), creator > 0 else {
      return nil
    }
    return (creator, descriptor)
  }

  private static func number(_ digits: Substring.UTF8View) -> Int32? {
    digits.allSatisfy { (0x30...0x39).contains($0) } ? Int32(Substring(digits)) : nil
  }

  private func machine(madeBy creator: Int32, _ descriptor: Int32, folder: FilePath) -> ForeignMachine {
    var process = processes.process(of: creator) ?? creator
    var vcpus: [ForeignVCPU] = []
    var names: [UInt32: Int32]?
    for name in HostFile.names(in: folder) where name.hasPrefix("vcpu") && vcpus.count < Self.vcpuLimit {
      guard let id = UInt32(name.dropFirst(4)) else { continue }
      var vcpu = ForeignVCPU(id: id)
      // 0 is a vCPU that has not run yet.
      if let text = HostFile.text(folder.appending("\(name)/pid"), atMost: 64) {
        vcpu.thread = Int32(text).flatMap { $0 > 0 ? $0 : nil }
      } else {
        let found = names ?? processes.threadsByName(of: process)
        names = found
        vcpu.thread = found[id]
        vcpu.isThreadByName = vcpu.thread != nil
      }
      vcpus.append(vcpu)
    }
    vcpus.sort { $0.id < $1.id }
    // The thread that made it may be gone, and its id another's; those that run vCPUs are the machine's.
    let runner = vcpus.lazy.filter { !$0.isThreadByName }.compactMap(\.thread).first
    process = runner.flatMap(processes.process) ?? process
    var machine = ForeignMachine(
      process: process, descriptor: descriptor, program: processes.name(of: process), vcpus: vcpus, folder: folder)
    // A vCPU with a local APIC in the kernel has this file (arch/x86/kvm/debugfs.c).
    if let first = vcpus.first {
      let file = folder.appending("vcpu\(first.id)")
      if HostFile.exists(file.appending("tsc-offset")) {
        machine.hasKernelLocalAPIC = HostFile.exists(file.appending("lapic_timer_advance_ns"))
      }
    }
    return machine
  }
}

/// What /proc tells of processes and their threads.
public struct HostProcesses: Hashable, Sendable {
  private let root: FilePath

  /// Those of the file system at a path.
  public init(root: FilePath = "/proc") {
    self.root = root
  }

  private func folder(_ process: Int32) -> FilePath { root.appending("\(process)") }

  /// Whether there is a process with an id.
  public func exists(_ process: Int32) -> Bool { HostFile.exists(folder(process)) }

  /// The name of a process (comm); nil where there is none, or it cannot be seen.
  public func name(of process: Int32) -> String? { HostFile.text(folder(process).appending("comm"), atMost: 256) }

  /// The process that a thread belongs to (Tgid); nil where there is no such thread, or it cannot be seen.
  public func process(of thread: Int32) -> Int32? {
    // /proc has a folder of each thread, though it lists those of processes alone.
    let lines = HostFile.text(folder(thread).appending("status"), atMost: 4096)?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix("Tgid:\t") }.flatMap { Int32($0.dropFirst(6)) }
  }

  /// Whether a thread is one of a process.
  public func has(_ thread: Int32, in process: Int32) -> Bool {
    HostFile.exists(folder(process).appending("task/\(thread)"))
  }

  /// Which thread runs which vCPU, by the names that VMMs give them: `CPU 3/KVM` of QEMU, `fc_vcpu 3` of Firecracker,
  /// `vcpu3` of Cloud Hypervisor, `crosvm_vcpu3`, and `vcpu-3` and `vCPU 3` of others.
  public func threadsByName(of process: Int32) -> [UInt32: Int32] {
    let tasks = folder(process).appending("task")
    var threads: [UInt32: Int32] = [:]
    for name in HostFile.names(in: tasks).prefix(Self.taskLimit) {
      guard let thread = Int32(name), let comm = HostFile.text(tasks.appending("\(name)/comm"), atMost: 256),
        let id = Self.vcpu(inName: comm)
      else { continue }
      threads[id] = threads[id] ?? thread
    }
    return threads
  }

  /// A process has more threads than vCPUs, but not ten times as many.
  private static let taskLimit = 16384

  static func vcpu(inName name: String) -> UInt32? {
    if name.hasPrefix("CPU "), name.hasSuffix("/KVM") { return UInt32(name.dropFirst(4).dropLast(4)) }
    for prefix in ["fc_vcpu ", "crosvm_vcpu", "vcpu-", "vCPU ", "vcpu"] where name.hasPrefix(prefix) {
      return UInt32(name.dropFirst(prefix.count))
    }
    return nil
  }
}
