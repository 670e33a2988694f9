import KVM
import MachineState

extension Failure {
  /// A snapshot could not be read or written.
  init(_ error: SnapshotFileError) {
    self.init(error.description, .badFile)
  }

  /// A machine could not be made from a snapshot.
  ///
  /// - Parameter host: where the snapshot was taken. What KVM refuses there is the snapshot's fault; elsewhere it may be
  ///   this host's.
  init(_ error: RestoreError, takenOn host: HostIdentity) {
    switch error {
    case .malformed: self.init(error.description, .badFile)
    case .hostDiffers: self.init(error.description, .hostCannot)
    case .refused where host == .current: self.init(error.description, .badFile)
    case .refused:
      self.init(
        "\(error); the state was taken on another host: Linux \(host.kernel), \(host.backEnd), \(host.processor)",
        .hostCannot)
    case .machine(let error): self.init(error)
    }
  }
}
