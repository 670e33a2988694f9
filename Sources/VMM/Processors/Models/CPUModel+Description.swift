extension CPUModel: CustomStringConvertible {
  /// The model as a text that is read as this model again, such as `qemu64,+umip,-x2apic`: its name, the features that are
  /// added and those that are taken away, each in CPUID's order, and the options that say anything.
  public var description: String {
    var parts = [name]
    parts += additions.sortedNames.map { "+\($0)" }
    parts += removals.sortedNames.map { "-\($0)" }
    if let vendor, vendor != definition.vendor { parts.append("vendor=\(vendor)") }
    if let physicalAddressBits { parts.append("phys-bits=\(physicalAddressBits)") }
    return parts.joined(separator: ",")
  }
}

extension Set<CPUFeature> {
  /// The features' names in the order of `CPUFeatureNames`, of several names the first.
  fileprivate var sortedNames: [String] {
    CPUFeatureNames.words.flatMap { word, names in
      names.split(separator: " ").enumerated().compactMap { bit, name in
        contains(CPUFeature(word, bit: bit)) ? name.split(separator: "|").first.map(String.init) : nil
      }
    }
  }
}
