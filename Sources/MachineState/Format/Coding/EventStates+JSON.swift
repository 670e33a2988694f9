import KVM

extension IRQFDState {
  private static var fields: [Field<IRQFDState>] {
    [
      .count("gsi", \.gsi, in: 0...4095), .hex("pending", \.pending, upTo: .max - 1),
      .optionalHex("resamplePending", \.resamplePending), .flag("isMachines", \.isOwnedByVMM),
      .optionalCount("event", \.event, in: 0...UInt32(MachineState.eventLimit)),
    ]
  }

  var json: JSONValue { Self.fields.encode(self) }

  init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    self.init(gsi: 0)
    try Self.fields.decode(json, into: &self, notes)
    guard resamplePending != .max else { throw MalformedState("an event counts to 2^64 - 2", at: "resamplePending") }
  }
}

extension IOEventState {
  private static var fields: [Field<IOEventState>] {
    [
      Field(
        name: "port",
        encode: { if case .port(let port) = $0.address { .hex(port) } else { .null } },
        decode: { (root, json, _) throws(MalformedState) in
          if json != .null { root.address = .port(try json.hex(UInt16.self)) }
        }),
      Field(
        name: "address",
        encode: { if case .mmio(let address) = $0.address { .hex(address) } else { .null } },
        decode: { (root, json, _) throws(MalformedState) in
          if json != .null { root.address = .mmio(try json.hex(UInt64.self)) }
        }),
      .count("length", \.length, in: 0...8), .optionalHex("match", \.match),
      .hex("pending", \.pending, upTo: .max - 1),
      .optionalCount("event", \.event, in: 0...UInt32(MachineState.eventLimit)),
    ]
  }

  var json: JSONValue { Self.fields.encode(self) }

  init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    self.init(address: .port(0))
    try Self.fields.decode(json, into: &self, notes)
  }
}
