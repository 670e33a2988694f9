import CFuzzer
import ForeignStates
import Rules

/// CRC-64 by the polynomial of Jones, as Firecracker's files end.
private func checksum(_ bytes: [UInt8]) -> [UInt8] {
  let value = bytes.reduce(UInt64(0)) { checksum, byte in
    (0..<8).reduce(checksum ^ UInt64(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x95ac_9329_ac4b_c9b5 : value >> 1
    }
  }
  return (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}

/// Reads one input: its first byte says what the rest is taken for.
private func readAnyState(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let data = unsafe data, size > 0 else { return 0 }
  // Sound: libFuzzer gives as many bytes as it says, which are there during the call.
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  let sources: [StateSource?] = [nil] + StateSource.allCases
  let source = sources[Int(bytes[0]) % sources.count]
  var content = Array(bytes.dropFirst())
  // A checksum that is right, which no mutation finds.
  if source == .firecracker { content += checksum(content) }
  var reader = StateReader(ByteSource(content), as: source)
  guard let state = try? reader.read().state else { return 0 }
  _ = state.findings()
  return 0
}

// Sound: the arguments are the process's own, which stay as they are until it ends.
_ = unsafe cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { unsafe readAnyState($0, $1) }
