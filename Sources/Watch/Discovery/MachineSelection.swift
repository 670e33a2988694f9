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
