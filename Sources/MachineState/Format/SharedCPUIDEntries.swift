import JSON
import KVM

/// The CPUID entries of all vCPUs, each once: they differ in a few that hold the APIC id. A vCPU's own are indices.
final class SharedCPUIDEntries {
  private var entries: [CPUIDEntry] = []
  private var indices: [CPUIDEntry: Int] = [:]

  /// The entries of vCPUs.
  init(_ vcpus: [VCPUState]) {
    for entry in vcpus.lazy.flatMap(\.cpuid) where indices[entry] == nil {
      indices[entry] = entries.count
      entries.append(entry)
    }
  }

  /// The table as a member of the document.
  ///
  /// - Parameter limit: how many entries it may have.
  func field(limit: Int) -> Field<MachineState> {
    let list = JSONCoding.list(of: CPUIDEntry.coding, atMost: limit)
    return Field(
      "cpuid", encode: { _ in list.encode(self.entries) },
      decode: { (_, json, context) throws(JSONError) in self.entries = try list.decode(json, context) })
  }

  /// An entry as its index.
  var index: JSONCoding<CPUIDEntry> {
    JSONCoding(
      encode: { .number(Int64(self.indices[$0] ?? -1)) },
      decode: { (json, _) throws(JSONError) in
        guard case .number(let number) = json, self.entries.indices.contains(Int(number)) else {
          throw JSONError("the index of one of the \(self.entries.count) entries of \"cpuid\" expected")
        }
        return self.entries[Int(number)]
      })
  }
}

extension CPUIDEntry {
  /// `0xb/1`: the leaf, and the subleaf where it matters.
  var leaf: String { hasSignificantIndex ? "\(hex(function))/\(index)" : hex(function) }

  /// `0x1 0x2 0x201 0x0`: EAX, EBX, ECX, EDX.
  var values: String { [eax, ebx, ecx, edx].map { hex($0) }.joined(separator: " ") }

  /// `0xb/1 0x1 0x2 0x201 0x0`.
  fileprivate static var coding: JSONCoding<CPUIDEntry> {
    JSONCoding<String>.text(atMost: 100).map { (text) throws(JSONError) in
      let words = text.split(separator: " ", omittingEmptySubsequences: false)
      let leaf = words[0].split(separator: "/", omittingEmptySubsequences: false)
      func word(_ text: Substring) -> UInt32? {
        try? JSONCoding<UInt32>.hex.decode(.string(String(text)), DecodingContext())
      }
      let values = words.dropFirst().compactMap { word($0) }
      // An integer's own initializer takes a sign.
      let digits = leaf.dropFirst().first ?? "0"
      guard words.count == 5, values.count == 4, leaf.count <= 2, let function = leaf.first.flatMap({ word($0) }),
        digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = UInt32(digits)
      else { throw JSONError("a leaf such as \"0xb/1 0x1 0x2 0x201 0x0\" expected, not \"\(text)\"") }
      return CPUIDEntry(
        function: function, index: index, hasSignificantIndex: leaf.count == 2, eax: values[0], ebx: values[1],
        ecx: values[2], edx: values[3])
    } back: {
      "\($0.leaf) \($0.values)"
    }
  }
}

private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
