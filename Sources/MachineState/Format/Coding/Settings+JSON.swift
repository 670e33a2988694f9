import KVM

extension MachineSettings {
  static var fields: [Field<MachineSettings>] {
    [
      .flag("irqchip", \.hasIRQChip),
      .capabilities("capabilities", \.capabilities),
      Field(
        name: "pit", encode: { $0.pit.map { PITOptions.fields.encode($0) } ?? .null },
        decode: {
          (root, json, notes) throws(MalformedState) in
          guard json != .null else { return }
          var options = PITOptions(speakerDummy: false)
          try PITOptions.fields.decode(json, into: &options, notes)
          root.pit = options
        }),
      .optionalHex("bootCPU", \.bootCPU), .optionalHex("tssAddress", \.tssAddress),
      .optionalHex("identityMapAddress", \.identityMapAddress), .optionalHex("tscKHz", \.tscKHz),
      Field(
        name: "msrFilter", encode: { $0.msrFilter.map(\.json) ?? .null },
        decode: {
          (root, json, notes) throws(MalformedState) in
          root.msrFilter = json == .null ? nil : try MSRFilter(json: json, notes)
        }),
    ]
  }
}

extension MachineSettings.PITOptions {
  fileprivate static var fields: [Field<MachineSettings.PITOptions>] {
    [.flag("speakerDummy", \.speakerDummy), .flag("reinjects", \.reinjects)]
  }
}

extension VCPUSettings {
  static var fields: [Field<VCPUSettings>] {
    [
      .hex("vapicAddress", \.vapicAddress), .flag("reportsTPRAccesses", \.reportsTPRAccesses),
      .capabilities("capabilities", \.capabilities),
    ]
  }
}

extension Field {
  fileprivate static func capabilities(
    _ name: String, _ path: WritableKeyPath<Root, [MachineSettings.EnabledCapability]>
  ) -> Field {
    Field(
      name: name, encode: { .array($0[keyPath: path].map(\.json)) },
      decode: { (root, json, notes) throws(MalformedState) in
        guard case .array(let elements) = json, elements.count <= 64 else {
          throw MalformedState("an array of at most 64 capabilities expected")
        }
        for (index, element) in elements.enumerated() {
          root[keyPath: path].append(
            try notes.inside("[\(index)]") { () throws(MalformedState) in
              try MachineSettings.EnabledCapability(json: element, notes)
            })
        }
      })
  }
}

extension MachineSettings.EnabledCapability {
  /// The number is what counts; the name is for people.
  fileprivate var json: JSONValue {
    .object([
      "number": .number(Int64(capability.rawValue)), "name": .string(capability.name),
      "arguments": .array(arguments.map { .hex($0) }),
    ])
  }

  fileprivate init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    var reader = try ObjectReader(json, notes)
    let number: UInt32 = try reader.required("number") { json, _ throws(MalformedState) in
      try json.integer(in: 0...UInt32.max)
    }
    _ = try reader.optional("name") { json, _ throws(MalformedState) in try json.text(atMost: 100) }
    let arguments = try reader.required("arguments") { json, _ throws(MalformedState) in
      guard let words = try json.words(count: 4) else { throw MalformedState("an array of 4 numbers expected") }
      return words
    }
    reader.finish()
    self.init(Capability(rawValue: number), arguments)
  }
}

extension MSRFilter {
  fileprivate var json: JSONValue {
    .object([
      "allowsOthers": .bool(allowsOthers),
      "ranges": .array(
        ranges.map { range in
          .object([
            "base": .hex(range.base), "reads": .bool(range.reads), "writes": .bool(range.writes),
            "allows": .string(String(range.allows.map { $0 ? "1" : "0" })),
          ])
        }),
    ])
  }

  fileprivate init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    var reader = try ObjectReader(json, notes)
    let allowsOthers = try reader.required("allowsOthers") { json, _ throws(MalformedState) in try json.boolean() }
    // KVM_MSR_FILTER_MAX_RANGES, and as many MSRs as its bitmaps hold (KVM_MSR_FILTER_MAX_BITMAP_SIZE).
    let ranges = try reader.list("ranges", atMost: 16) { json, notes throws(MalformedState) in
      var reader = try ObjectReader(json, notes)
      let base = try reader.required("base") { json, _ throws(MalformedState) in try json.hex(UInt32.self) }
      let reads = try reader.required("reads") { json, _ throws(MalformedState) in try json.boolean() }
      let writes = try reader.required("writes") { json, _ throws(MalformedState) in try json.boolean() }
      let allows = try reader.required("allows") { json, _ throws(MalformedState) in
        let text = try json.text(atMost: 12288)
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 == 0x30 || $0 == 0x31 }) else {
          throw MalformedState("a 0 or a 1 for each register expected")
        }
        return text.utf8.map { $0 == 0x31 }
      }
      reader.finish()
      return Range(base: base, allows: allows, reads: reads, writes: writes)
    }
    reader.finish()
    self.init(allowsOthers: allowsOthers, ranges: ranges)
  }
}
