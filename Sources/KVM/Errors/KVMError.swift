public import SystemPackage

/// A call that the kernel refused: which, why, and what to do about it.
public struct KVMError: Error, Hashable, Sendable {
  /// The call that failed.
  public var call: KVMCall

  /// The kernel's answer.
  public var errno: Errno

  /// What the call was about, such as a path or an index, where that helps.
  public var detail: String?

  /// The error of a call.
  public init(call: KVMCall, errno: Errno, detail: String? = nil) {
    self.call = call
    self.errno = errno
    self.detail = detail
  }
}

extension KVMError: CustomStringConvertible {
  /// `KVM_SET_GSI_ROUTING failed: EINVAL (Invalid argument): what that usually means`.
  public var description: String {
    let subject = detail.map { "\(call)(\($0))" } ?? call.rawValue
    let reason = "\(subject) failed: \(errno.symbol) (\(errno))"
    guard let hint else { return reason }
    return "\(reason): \(hint)"
  }
}

/// The answer of a shim call, or the error that a negative one stands for.
///
/// `detail` is evaluated only for an error.
@discardableResult @inline(__always)
func attempt(
  _ call: KVMCall, _ answer: Int32, detail: @autoclosure () -> String? = nil
) throws(KVMError) -> Int32 {
  guard answer < 0 else { return answer }
  throw KVMError(call: call, errno: Errno(rawValue: -answer), detail: detail())
}
