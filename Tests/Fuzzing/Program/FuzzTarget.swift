/// What is fuzzed: a reader or a device that bytes from outside reach.
struct FuzzTarget: Sendable {
  /// What `scripts/fuzz` calls it.
  let name: String
  /// Inputs that mean something, from which mutations start.
  let seeds: [[UInt8]]
  /// Gives it an input. What it refuses it has to refuse by an error; nothing else may happen.
  let feed: @Sendable ([UInt8]) -> Void

  init(_ name: String, seeds: [[UInt8]] = [], _ feed: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.seeds = seeds
    self.feed = feed
  }

  /// All of them.
  static let all: [FuzzTarget] =
    states + [image, processorModel, unitTests, injections, json, control, debugger] + [
      traceFormat, tracePage,
    ]
    + [firmware, pci, virtioRegisters, virtioRing, log]
}

/// Takes an input apart into what a guest does, one access after the other.
struct InputReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// Whether anything is left.
  var isAtEnd: Bool { rest.isEmpty }

  /// The next number, little-endian; zeros where the input ends.
  mutating func next<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type = Value.self) -> Value {
    var value: Value = 0
    for index in 0..<MemoryLayout<Value>.size {
      guard let byte = rest.popFirst() else { break }
      value |= Value(byte) << Value(8 * index)
    }
    return value
  }

  /// The next width of an access: 1, 2, 4 or 8 bytes.
  mutating func width() -> Int { 1 << Int(next(UInt8.self) & 3) }

  /// All that is left.
  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }
}
