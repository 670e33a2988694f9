import KVM
import MachineState
import Support
import VMM

/// Opens KVM.
///
/// - Parameter forManyMachines: keep it active from one machine to the next (`System.keepActive()`).
func openKVM(forManyMachines: Bool = false) throws(Failure) -> System {
  do throws(KVMError) {
    let system = try KVM.open()
    if forManyMachines { try system.keepActive() }
    return system
  } catch {
    throw Failure(error)
  }
}

extension Failure {
  /// A snapshot could not be read or written.
  init(_ error: SnapshotFileError) {
    let status: ExitStatus =
      switch error {
      case .incomplete: .timeLimit
      case .noDescriptor: .hostCannot
      case .unreadable, .unwritable, .malformed: .badFile
      }
    self.init("\(error)", status)
  }

  /// A machine could not be made from a snapshot.
  ///
  /// - Parameter host: where the snapshot was taken. What KVM refuses there is the snapshot's fault; elsewhere it may be
  ///   this host's.
  init(_ error: RestoreError, takenOn host: HostIdentity) {
    switch error {
    case .malformed: self.init("\(error)", .badFile)
    case .hostDiffers(let differences) where host == .current && differences.contains(where: \.isLasting):
      self.init(
        "the state says that it was taken on this host, which it cannot be:", details: differences.map { "\($0)" },
        .badFile)
    case .hostDiffers(let differences):
      self.init("this host cannot take the state:", details: differences.map { "\($0)" }, .hostCannot)
    case .refused where host == .current: self.init("\(error)", .badFile)
    case .refused:
      self.init(
        "\(error); the state was taken on another host: Linux \(host.kernel), \(host.backEnd), \(host.processor)",
        .hostCannot)
    // What a machine cannot be made of was in the file, not on the command line.
    case .machine(.configuration(let problem)): self.init("\(problem)", .badFile)
    case .machine(let error): self.init(error)
    }
  }
}
