import CKVM
import SystemPackage

/// An event counter, eventfd(2): what devices signal interrupts with (irqfd) and guests signal devices with (ioeventfd).
///
/// It is non-blocking and closed with its last reference. For an ioeventfd KVM holds on to the counter, not to the
/// descriptor, so that goes on working without this value; an irqfd ends with it, so the machine keeps those.
public final class EventDescriptor: Sendable {
  let descriptor: OwnedDescriptor

  /// Makes a counter.
  ///
  /// - Parameter initial: what it starts with.
  /// - Throws: `KVMError` when the process has no descriptor left (EMFILE).
  public init(initial: UInt32 = 0) throws(KVMError) {
    descriptor = try OwnedDescriptor(.eventfd, ckvm_eventfd(initial))
  }

  /// The descriptor's number, for poll(2) and epoll(7); valid while this object lives and not to be closed.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// Adds to the counter, which signals whoever waits for it.
  ///
  /// - Throws: `KVMError` with EAGAIN when the counter would pass 2^64 - 2, with EINVAL for 2^64 - 1.
  public func write(_ value: UInt64 = 1) throws(KVMError) {
    try attempt(.write, ckvm_eventfd_write(descriptor.rawValue, value))
  }

  /// Takes what the counter holds and leaves zero there; 0 when nothing was signalled since.
  public func read() throws(KVMError) -> UInt64 {
    var value: UInt64 = 0
    // Sound: the shim writes the one integer it is given.
    let answer = unsafe ckvm_eventfd_read(descriptor.rawValue, &value)
    if Errno(rawValue: -answer) == .resourceTemporarilyUnavailable { return 0 }
    try attempt(.read, answer)
    return value
  }
}

/// The one owner of an open file descriptor, which it closes.
struct OwnedDescriptor: ~Copyable, Sendable {
  /// The descriptor's number, valid for as long as the owner lives.
  let rawValue: Int32

  /// Takes over an open descriptor: nobody else may close it.
  init(owning rawValue: Int32) {
    self.rawValue = rawValue
  }

  deinit { ckvm_close(rawValue) }
}

extension OwnedDescriptor {
  /// Owns the descriptor that a shim call answered with, or throws the error it answered with.
  init(_ call: KVMCall, _ answer: Int32, detail: @autoclosure () -> String? = nil) throws(KVMError) {
    self.init(owning: try attempt(call, answer, detail: detail()))
  }

  /// Reads at a position; fewer bytes than asked for at the end of the file.
  func read(count: Int, at offset: Int) throws(KVMError) -> [UInt8] {
    var answer = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      // Sound: pread writes at most the buffer's own count, and answers how many bytes it wrote.
      if let base = buffer.baseAddress { answer = unsafe ckvm_pread(rawValue, base, buffer.count, off_t(offset)) }
      initialized = max(answer, 0)
    }
    try attempt(.read, Int32(clamping: answer))
    return bytes
  }
}
