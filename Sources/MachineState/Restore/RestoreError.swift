public import JSON
import KVM
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
  /// The error for a refusal of KVM's.
  ///
  /// - Parameters:
  ///   - error: KVM's answer.
  ///   - path: what of the state it was asked to take.
  init(_ error: KVMError, at path: String) {
    // A host that has run out of something is no fault of the state.
    self = error.isShortage ? .machine(.kvm(error)) : .refused(path: path, problem: error.description)
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
