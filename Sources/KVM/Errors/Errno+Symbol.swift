import SystemPackage

extension Errno {
  /// The constant's name in errno(3), for those that KVM and its neighbours answer with.
  var symbol: String {
    switch self {
    case .notPermitted: "EPERM"
    case .noSuchFileOrDirectory: "ENOENT"
    case .interrupted: "EINTR"
    case .ioError: "EIO"
    case .noSuchAddressOrDevice: "ENXIO"
    case .argListTooLong: "E2BIG"
    case .badFileDescriptor: "EBADF"
    case .resourceTemporarilyUnavailable: "EAGAIN"
    case .noMemory: "ENOMEM"
    case .permissionDenied: "EACCES"
    case .badAddress: "EFAULT"
    case .resourceBusy: "EBUSY"
    case .fileExists: "EEXIST"
    case .operationNotSupportedByDevice: "ENODEV"
    case .isDirectory: "EISDIR"
    case .invalidArgument: "EINVAL"
    case .tooManyOpenFilesInSystem: "ENFILE"
    case .tooManyOpenFiles: "EMFILE"
    case .inappropriateIOCTLForDevice: "ENOTTY"
    case .noSpace: "ENOSPC"
    case .illegalSeek: "ESPIPE"
    case .noFunction: "ENOSYS"
    case .notSupportedOnSocket: "EOPNOTSUPP"
    case .badMessage: "EBADMSG"
    default: "errno \(rawValue)"
    }
  }
}
