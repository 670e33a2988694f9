public import KVM
import Support
import SystemPackage

/// Why a machine could not be built.
public enum MachineError: Error, Sendable {
  /// The configuration contradicts itself or asks for the impossible.
  case configuration(String)
  /// The image cannot be booted.
  case image(ImageError)
  /// KVM refused.
  case kvm(KVMError)
  /// KVM refused what a machine that is made again was told before: the setting, by its path in a state, such as
  /// `settings.bootCPU`.
  case setting(String, KVMError)
  /// This host's KVM lacks what the configuration needs.
  case missingCapability(Capability, purpose: String)
  /// What the machine puts into guest memory does not fit: there is too little.
  case memory(GuestMemoryError)
  /// A thread could not be started (pthread_create).
  case thread(errno: Int32)
  /// A vCPU did not come out of the guest for a pause in time: a device of it waits for something.
  case pause(vcpu: Int)
  /// A device of this process did not come to the end of what it carries out in time for a pause.
  case pauseOfDevice(String)
  /// A file cannot be a disk of the machine.
  case disk(DiskError)
  /// A device cannot be in the state that it was to be given.
  case device(DeviceStateError)
}

extension MachineError: CustomStringConvertible {
  /// What is wrong, for a person, and what can be done about it.
  public var description: String {
    switch self {
    case .configuration(let problem): problem
    case .image(let error): error.description
    case .kvm(let error): error.description
    case .setting(let path, let error): "\(path): \(error)"
    case .missingCapability(let capability, let purpose):
      "this host's KVM has no \(capability.name), which \(purpose) needs"
    case .memory(let error): error.description
    case .pause(let vcpu): "vCPU \(vcpu) did not come out of the guest in time for a pause"
    case .pauseOfDevice(let name): "the device \(name) did not come to the end of a request in time for a pause"
    case .disk(let error): error.description
    case .device(let error): "the state of the device \(error)"
    case .thread(let errno): "a thread could not be started: \(Errno(rawValue: errno)); \(Self.advice(for: errno))"
    }
  }
}

extension MachineError {
  /// Whether an error says that the host, or what this process may have of it, had no room.
  public static func isShortage(_ error: any Error) -> Bool {
    switch error as? MachineError {
    case .kvm(let error), .setting(_, let error): error.isShortage
    case .thread: true
    case .disk(let error): error.isShortage
    default:
      switch error as? ImageError {
      case .file(let error): error.isShortage
      default: (error as? KVMError)?.isShortage ?? false
      }
    }
  }

  /// What a thread wants that could not be started: a place among the user's processes, or room for its stack
  /// (pthread_create(3)). Where threads share work, a descriptor goes with them.
  private static func advice(for errno: Int32) -> String {
    Errno(rawValue: errno) == .tooManyOpenFiles
      ? "raise the limit on descriptors (ulimit -n)"
      : "raise the limits on this user's processes and on memory (ulimit -u, ulimit -v)"
  }
}

/// Runs what KVM may refuse, and says it in a machine's words.
func kvmCall<Result: ~Copyable>(_ body: () throws(KVMError) -> Result) throws(MachineError) -> Result {
  do throws(KVMError) {
    return try body()
  } catch {
    throw .kvm(error)
  }
}

/// Runs what may not fit into guest memory, and says it in a machine's words.
func memoryAccess(_ body: () throws(GuestMemoryError) -> Void) throws(MachineError) {
  do throws(GuestMemoryError) {
    try body()
  } catch {
    throw .memory(error)
  }
}
