import CFuzzer
import ForeignStates
import Rules

/// Reads one input: its first byte says what the rest is taken for.
private func readAnyState(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let data = unsafe data, size > 0 else { return 0 }
  // Sound: libFuzzer gives as many bytes as it says, which are there during the call.
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  let sources: [StateSource?] = [nil] + StateSource.allCases
  var reader = StateReader(ByteSource(Array(bytes.dropFirst())), as: sources[Int(bytes[0]) % sources.count])
  guard let state = try? reader.read().state else { return 0 }
  _ = state.findings()
  return 0
}

// Sound: the arguments are the process's own, which stay as they are until it ends.
_ = unsafe cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { unsafe readAnyState($0, $1) }
