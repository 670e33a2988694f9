/// A machine whose interrupts a timeline shows. A run has one, the suite one a case.
public struct TimelineMachine: Hashable, Sendable {
  /// What it is called: a guest, a case, a process. Anything may be in it.
  public var name: String
  /// KVM's ids of its vCPUs, by index, where they are known; what comes with another id gets a vCPU of its own.
  public var vcpuIDs: [UInt32]
  /// The kernel's ids of the threads that run its vCPUs, by index: several of one that ran on several, 0 for none.
  public var threads: [[Int32]]
  /// What has to be known to read its timeline, a line each.
  public var notes: [String]

  /// A machine.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - vcpuIDs: KVM's ids of its vCPUs, by index.
  ///   - threads: the kernel's ids of their threads, by index.
  ///   - notes: what has to be known.
  public init(name: String, vcpuIDs: [UInt32], threads: [[Int32]] = [], notes: [String] = []) {
    self.name = name
    self.vcpuIDs = vcpuIDs
    self.threads = threads
    self.notes = notes
  }
}
