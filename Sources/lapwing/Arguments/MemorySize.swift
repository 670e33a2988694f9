import ArgumentParser

/// An amount of memory as people write it: `64M`, `1G`, `512KiB`, or bytes.
struct MemorySize: ExpressibleByArgument, CustomStringConvertible {
  let bytes: UInt64

  init(bytes: UInt64) { self.bytes = bytes }

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    let shifts: [String: UInt64] = [
      "": 0, "b": 0, "k": 10, "kib": 10, "m": 20, "mib": 20, "g": 30, "gib": 30,
    ]
    guard let number = UInt64(digits), let shift = shifts[argument.dropFirst(digits.count).lowercased()],
      number <= UInt64.max >> shift
    else { return nil }
    bytes = number << shift
  }

  var description: String { bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes)" }
}
