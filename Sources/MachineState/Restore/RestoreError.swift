public import JSON
import KVM
import SystemPackage
public import VMM

/// Why a machine could not be made from a state. There is no machine then, nor part of one.
public enum RestoreError: Error, Sendable {
  /// The state contradicts itself.
  case malformed(MalformedState)
  /// This host cannot take the state: what it lacks, each by name.
  case hostDiffers([HostDifference])
  /// KVM refused a part of the state that looked as it should.
  case refused(path: String, problem: String)
  /// The machine could not be built.
  case machine(MachineError)
}

extension RestoreError {
  /// What this host has run out of, whatever it was asked for: no fault of a state.
  private static let exhaustion: Set<Errno> = [
    .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .resourceTemporarilyUnavailable, .noSpace,
  ]

  /// The error for a refusal of KVM's.
  ///
  /// - Parameters:
  ///   - error: KVM's answer.
  ///   - path: what of the state it was asked to take.
  init(_ error: KVMError, at path: String) {
    self =
      Self.exhaustion.contains(error.errno)
      ? .machine(.kvm(error)) : .refused(path: path, problem: error.description)
  }
}

extension RestoreError: CustomStringConvertible {
  /// What is wrong, for a person.
  public var description: String {
    switch self {
    case .malformed(let error): error.description
    case .hostDiffers(let differences):
      "this host cannot take the state: " + differences.map(\.description).joined(separator: "; ")
    case .refused(let path, let problem): "\(path): \(problem)"
    case .machine(let error): error.description
    }
  }
}
