import KVM

extension VCPUEvents {
  static var fields: [Field<VCPUEvents>] {
    [
      .object(
        "exception", \.exception,
        [
          .flag("injected", \.injected), .flag("pending", \.pending), .hex("number", \.number, upTo: 31),
          .optionalHex("errorCode", \.errorCode), .optionalHex("payload", \.payload),
        ]),
      .object(
        "interrupt", \.interrupt,
        [
          .flag("injected", \.injected), .hex("number", \.number), .flag("soft", \.soft),
          .hex("shadow", \.shadow, upTo: 3),
        ]),
      .object(
        "nmi", \.nmi,
        [.flag("injected", \.injected), .count("pending", \.pending, in: 0...2), .flag("masked", \.masked)]),
      Field(
        name: "smi", encode: { $0.smi.map { SMI.fields.encode($0) } ?? .null },
        decode: {
          (root, json, notes) throws(MalformedState) in
          guard json != .null else { return }
          var smi = SMI()
          try SMI.fields.decode(json, into: &smi, notes)
          root.smi = smi
        }),
      .optionalHex("sipiVector", \.sipiVector),
      Field(
        name: "tripleFault", encode: { $0.tripleFault.map { .bool($0) } ?? .null },
        decode: {
          (root, json, _) throws(MalformedState) in
          root.tripleFault = json == .null ? nil : try json.boolean()
        }),
    ]
  }
}

extension VCPUEvents.SMI {
  fileprivate static var fields: [Field<VCPUEvents.SMI>] {
    [
      .flag("inSMM", \.inSMM), .flag("pending", \.pending), .flag("insideNMI", \.insideNMI),
      .flag("latchedINIT", \.latchedINIT),
    ]
  }
}
