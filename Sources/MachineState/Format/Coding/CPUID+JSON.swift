import KVM

/// The CPUID entries of all vCPUs, each once: they differ in a few that hold the APIC id.
struct CPUIDTable {
  private(set) var entries: [CPUIDEntry] = []
  private var indices: [CPUIDEntry: Int] = [:]

  mutating func index(of entry: CPUIDEntry) -> Int {
    if let index = indices[entry] { return index }
    indices[entry] = entries.count
    entries.append(entry)
    return entries.count - 1
  }
}

extension CPUIDEntry {
  /// `0xb/1 0x1 0x2 0x201 0x0`: leaf, subleaf where it matters, EAX, EBX, ECX, EDX.
  var json: JSONValue {
    func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
    let leaf = hasSignificantIndex ? "\(hex(function))/\(index)" : hex(function)
    return .string([leaf, hex(eax), hex(ebx), hex(ecx), hex(edx)].joined(separator: " "))
  }

  init(json: JSONValue) throws(MalformedState) {
    let text = try json.text(atMost: 100)
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let leaf = words[0].split(separator: "/", omittingEmptySubsequences: false)
    func word(_ text: Substring) -> UInt32? { Hexadecimal.integer(String(text)).flatMap { UInt32(exactly: $0) } }
    let values = words.dropFirst().compactMap { word($0) }
    guard words.count == 5, values.count == 4, leaf.count <= 2, let function = leaf.first.flatMap({ word($0) }),
      let index = leaf.count == 2 ? UInt32(leaf[1]) : 0
    else { throw MalformedState("a leaf such as \"0xb/1 0x1 0x2 0x201 0x0\" expected, not \"\(text)\"") }
    self.init(
      function: function, index: index, hasSignificantIndex: leaf.count == 2, eax: values[0], ebx: values[1],
      ecx: values[2], edx: values[3])
  }
}
