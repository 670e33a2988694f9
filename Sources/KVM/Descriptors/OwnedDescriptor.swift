import CKVM

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
