extension GuestMemory {
  /// Copies a structure of plain bytes out, which the guest may change meanwhile.
  ///
  /// - Throws: `GuestMemoryError` where it is not all in RAM.
  func loadStructure<T: BitwiseCopyable>(_ type: T.Type, at address: UInt64) throws(GuestMemoryError) -> T {
    // On the stack: guests wait for what is read here.
    try unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment) {
      buffer throws(GuestMemoryError) in
      unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
      // Sound: all bytes are initialized, and nobody else has the buffer.
      var bytes = unsafe MutableSpan<UInt8>(_unsafeBytes: buffer)
      try read(into: &bytes, at: address)
      // Sound: `T` is a structure of the contract, a C structure of integers, for which any bytes are a value.
      return unsafe buffer.load(as: type)
    }
  }

  /// Copies a structure of plain bytes in.
  ///
  /// - Throws: `GuestMemoryError` where it does not all land in RAM.
  func storeStructure<T: BitwiseCopyable>(_ value: T, at address: UInt64) throws(GuestMemoryError) {
    var value = value
    // Sound: the bytes of a C structure of integers, its padding included, are initialized by Swift's importer.
    let bytes = unsafe withUnsafeBytes(of: &value) { unsafe [UInt8]($0) }
    try write(bytes, at: address)
  }
}
