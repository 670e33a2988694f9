import CKVM
public import SystemPackage

/// Opens KVM: where everything starts.
///
/// - Parameter path: the device.
/// - Returns: the host's KVM, which creates virtual machines.
/// - Throws: `KVMError`: ENOENT when the host has no KVM, EACCES when this user may not use it, ENOTTY when the file is no
///   KVM device, EINVAL for a KVM of another API version.
public func open(_ path: FilePath = "/dev/kvm") throws(KVMError) -> System {
  // Sound: the path is NUL-terminated and outlives the call.
  let answer = unsafe path.withPlatformString { unsafe ckvm_open($0, O_RDWR) }
  return try System(OwnedDescriptor(.open, answer, detail: path.string))
}
