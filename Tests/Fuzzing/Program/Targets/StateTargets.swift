import ForeignStates
import Rules

/// The readers of states: a target for each format. An input's first byte says what the rest is taken for; the seeds are made by
/// scripts/fuzz.d/state-seeds, which knows the formats as their programs write them.
extension FuzzTarget {
  static let states = ["firecracker", "cloud-hypervisor", "qemu", "monitor", "page", "apic-page", "lapwing"].map {
    format in
    FuzzTarget("state-\(format)") { readState($0) }
  }

  private static func readState(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let sources: [StateSource?] = [nil] + StateSource.allCases
    let source = sources[Int(first) % sources.count]
    var content = Array(bytes.dropFirst())
    // A checksum that is right, which no mutation finds.
    if source == .firecracker { content += checksum(content) }
    var reader = StateReader(ByteSource(content), as: source)
    guard let state = try? reader.read().state else { return }
    _ = state.findings()
  }

  /// CRC-64 by the polynomial of Jones, as Firecracker's files end.
  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let value = bytes.reduce(UInt64(0)) { checksum, byte in
      (0..<8).reduce(checksum ^ UInt64(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0x95ac_9329_ac4b_c9b5 : value >> 1
      }
    }
    return (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }
}
