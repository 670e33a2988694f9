import Support
public import SystemPackage

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
