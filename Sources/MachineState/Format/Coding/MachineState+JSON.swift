import KVM
import VMM

extension MachineState {
  /// More vCPUs than KVM takes.
  private static let vcpuLimit = 4096
  static let eventLimit = 4096

  var json: JSONValue {
    var table = CPUIDTable()
    let vcpus = vcpus.map { $0.json(&table) }
    return .object([
      "format": .string(StateDocument.format), "version": .string(StateDocument.version.description),
      "guest": .string(guest), "captured": .hex(captured), "host": HostIdentity.fields.encode(host),
      "machine": configuration.json, "settings": MachineSettings.fields.encode(settings),
      "time": TimeState.fields.encode(time), "routes": settings.routes.map { .array($0.map(\.json)) },
      "pic": pics.map { PICPair.fields.encode($0) }, "ioapic": ioapic.map { IOAPICState.fields.encode($0) },
      "splitIOAPIC": splitIOAPIC.map { SplitIOAPICState.fields.encode($0) },
      "pit": pit.map { PITState.fields.encode($0) }, "irqfds": .array(irqfds.map(\.json)),
      "ioEvents": .array(ioEvents.map(\.json)), "devices": .array(devices.map(\.json)),
      "memory": memory.map { MemoryReference.fields.encode($0) },
      "cpuid": .array(table.entries.map(\.json)), "vcpus": .array(vcpus),
    ])
  }

  init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    self.init()
    var reader = try ObjectReader(json, notes)
    // The version was looked at before.
    _ = try reader.optional("format") { _, _ throws(MalformedState) in }
    _ = try reader.optional("version") { _, _ throws(MalformedState) in }
    guest = try reader.required("guest") { json, _ throws(MalformedState) in try json.text(atMost: 4096) }
    captured = try reader.required("captured") { json, _ throws(MalformedState) in try json.hex(UInt64.self) }
    host = try reader.structure("host", HostIdentity.fields, HostIdentity())
    configuration = try reader.required("machine") { json, notes throws(MalformedState) in
      try MachineConfiguration(json: json, notes)
    }
    settings = try reader.structure("settings", MachineSettings.fields, MachineSettings())
    time = try reader.structure("time", TimeState.fields, TimeState())
    if try reader.has("routes") {
      // KVM_MAX_IRQ_ROUTES.
      settings.routes = try reader.list("routes", atMost: 4096) { json, notes throws(MalformedState) in
        try GSIRoute(json: json, notes)
      }
    }
    pics = try reader.optionalStructure("pic", PICPair.fields, PICPair(master: PICState(), slave: PICState()))
    ioapic = try reader.optionalStructure("ioapic", IOAPICState.fields, IOAPICState(entries: []))
    splitIOAPIC = try reader.optionalStructure("splitIOAPIC", SplitIOAPICState.fields, SplitIOAPICState())
    pit = try reader.optionalStructure("pit", PITState.fields, PITState())
    irqfds = try reader.list("irqfds", atMost: Self.eventLimit) { json, notes throws(MalformedState) in
      try IRQFDState(json: json, notes)
    }
    ioEvents = try reader.list("ioEvents", atMost: Self.eventLimit) { json, notes throws(MalformedState) in
      try IOEventState(json: json, notes)
    }
    devices = try reader.list("devices", atMost: 1024) { json, notes throws(MalformedState) in
      try DeviceState(json: json, notes)
    }
    memory = try reader.optionalStructure(
      "memory", MemoryReference.fields, MemoryReference(file: "", id: 0, size: 0, pages: 0, checksum: 0))
    let table = try reader.list("cpuid", atMost: 256 * Self.vcpuLimit) { json, _ throws(MalformedState) in
      try CPUIDEntry(json: json)
    }
    vcpus = try reader.list("vcpus", atMost: Self.vcpuLimit) { json, notes throws(MalformedState) in
      try VCPUState(json: json, notes, table)
    }
    reader.finish()
  }
}

extension ObjectReader {
  fileprivate mutating func structure<Value>(
    _ name: String, _ fields: [Field<Value>], _ empty: Value
  ) throws(MalformedState) -> Value {
    guard let value = try optionalStructure(name, fields, empty) else {
      throw MalformedState("it is missing", at: name)
    }
    return value
  }

  fileprivate mutating func optionalStructure<Value>(
    _ name: String, _ fields: [Field<Value>], _ empty: Value
  ) throws(MalformedState) -> Value? {
    try optional(name) { json, notes throws(MalformedState) in
      var value = empty
      try fields.decode(json, into: &value, notes)
      return value
    }
  }
}

extension HostIdentity {
  fileprivate static var fields: [Field<HostIdentity>] {
    [
      .text("kernel", \.kernel, atMost: 256), .text("backEnd", \.backEnd, atMost: 256),
      .text("processor", \.processor, atMost: 256),
    ]
  }
}

extension TimeState {
  fileprivate static var fields: [Field<TimeState>] {
    [
      .hex("hostTSC", \.hostTSC), .hex("hostMonotonic", \.hostMonotonic),
      .object(
        "clock", \.clock,
        [
          .hex("nanoseconds", \.nanoseconds), .optionalHex("realtime", \.realtime),
          .optionalHex("hostTSC", \.hostTSC), .flag("isStable", \.isStable),
        ]),
    ]
  }
}

extension MemoryReference {
  fileprivate static var fields: [Field<MemoryReference>] {
    [
      .text("file", \.file, atMost: 4096), .hex("id", \.id), .hex("size", \.size), .hex("pages", \.pages),
      .hex("checksum", \.checksum),
    ]
  }
}

extension DeviceState {
  /// Far more than any register file has.
  private static let valueLimit = 1 << 16

  fileprivate var json: JSONValue {
    .object([
      "name": .string(name),
      "fields": .object(
        fields.sorted { $0.key < $1.key }.map {
          JSONValue.Member(name: $0.key, value: .array($0.value.map { .hex($0) }))
        }),
    ])
  }

  fileprivate init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    var reader = try ObjectReader(json, notes)
    self.init(name: try reader.required("name") { json, _ throws(MalformedState) in try json.text(atMost: 256) })
    fields = try reader.required("fields") { json, _ throws(MalformedState) in
      guard case .object(let members) = json else { throw MalformedState("an object expected, not \(json.kind)") }
      var fields: [String: [UInt64]] = [:]
      for item in members {
        guard case .array(let elements) = item.value, elements.count <= Self.valueLimit else {
          throw MalformedState("an array of at most \(Self.valueLimit) numbers expected", at: item.name)
        }
        fields[item.name] = try member(item.name) { () throws(MalformedState) in
          try item.value.words(count: elements.count)
        }
      }
      return fields
    }
    reader.finish()
  }
}
