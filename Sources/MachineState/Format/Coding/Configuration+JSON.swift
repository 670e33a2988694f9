import VMM

extension MachineConfiguration {
  private static var fields: [Field<MachineConfiguration>] {
    [
      .hex("memory", \.memory), .choice("irqchip", \.irqChip), .choice("apic", \.apic), .choice("start", \.start),
      .text("arguments", \.arguments, atMost: 4096), .optionalHex("loadAddress", \.loadAddress),
      .hex("logCapacity", \.logCapacity, upTo: 1 << 32),
      .count("vcpus", \.vcpus, in: 1...4096),
      Field(
        name: "vcpuIDs", encode: { .array($0.vcpuIDs.map { .hex($0) }) },
        decode: {
          (root, json, _) throws(MalformedState) in
          guard case .array(let elements) = json, elements.isEmpty || elements.count == root.vcpus else {
            throw MalformedState("an array of \(root.vcpus) ids expected, or an empty one")
          }
          root.vcpuIDs = []
          for (index, element) in elements.enumerated() {
            root.vcpuIDs.append(
              try member("[\(index)]") { () throws(MalformedState) in try element.hex(UInt32.self) })
          }
        }),
    ]
  }

  var json: JSONValue { Self.fields.encode(self) }

  init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    self.init()
    try Self.fields.decode(json, into: &self, notes)
  }
}
