import JSON
import KVM
import Support
import VMM

extension MachineState {
  /// More vCPUs than KVM takes.
  static let vcpuLimit = 4096
  static let eventLimit = 4096

  /// The members of the document, in their order. A field of the state is one line here: it is then written, read,
  /// demanded of documents from its version on, and compared.
  ///
  /// - Parameter table: the CPUID entries of all vCPUs, which the document has once.
  static func fields(_ table: SharedCPUIDEntries) -> [Field<MachineState>] {
    let picPair = PICPair(master: PICState(), slave: PICState())
    let noMemory = MemoryReference(file: "", id: 0, size: 0, pages: 0, checksum: 0)
    return [
      // Looked at before all else (`StateDocument`).
      .remark("format") { _ in .string(StateDocument.format) },
      .remark("version") { _ in .string(StateDocument.version.description) },
      .text("guest", \.guest, atMost: 4096), .hex("captured", \.captured),
      .object("host", \.host, HostIdentity.fields), .object("machine", \.configuration, MachineConfiguration.fields),
      .object("settings", \.settings, MachineSettings.fields), .object("time", \.time, TimeState.fields),
      // KVM_MAX_IRQ_ROUTES.
      Field(ifAny: "routes", \.settings.routes, .list(of: GSIRoute.coding, atMost: 4096)),
      Field(ifAny: "pic", \.pics, .object(PICPair.fields, picPair)),
      Field(ifAny: "ioapic", \.ioapic, .object(IOAPICState.fields, IOAPICState(entries: []))),
      Field(ifAny: "splitIOAPIC", \.splitIOAPIC, .object(SplitIOAPICState.fields, SplitIOAPICState())),
      Field(ifAny: "pit", \.pit, .object(PITState.fields, PITState())),
      Field("irqfds", \.irqfds, .list(of: .object(IRQFDState.fields, IRQFDState(gsi: 0)), atMost: eventLimit)),
      Field(
        "ioEvents", \.ioEvents,
        .list(of: .object(IOEventState.fields, IOEventState(address: .port(0))), atMost: eventLimit)),
      Field("devices", \.devices, .list(of: .object(DeviceState.members, DeviceState(name: "")), atMost: 1024)),
      Field(ifAny: "memory", \.memory, .object(MemoryReference.fields, noMemory)),
      table.field(limit: 256 * vcpuLimit),
      Field("vcpus", \.vcpus, .list(of: .object(VCPUState.fields(table), VCPUState()), atMost: vcpuLimit)),
    ]
  }

  /// The document.
  var json: JSONValue { Self.fields(SharedCPUIDEntries(vcpus)).encode(self) }

  /// Reads a document whose format and version have been looked at.
  init(json: JSONValue, _ context: DecodingContext) throws(MalformedState) {
    self.init()
    try Self.fields(SharedCPUIDEntries([])).decode(json, into: &self, context)
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

extension MachineConfiguration {
  fileprivate static var fields: [Field<MachineConfiguration>] {
    [
      .hex("memory", \.memory), .choice("irqchip", \.irqChip), .choice("apic", \.apic), .choice("start", \.start),
      .text("arguments", \.arguments, atMost: 4096), .optionalHex("loadAddress", \.loadAddress),
      .hex("logCapacity", \.logCapacity, upTo: 1 << 32),
      .count("vcpus", \.vcpus, in: 1...MachineState.vcpuLimit),
      Field("vcpuIDs", \.vcpuIDs, .list(of: .hex, atMost: MachineState.vcpuLimit)),
      // Absent for the standard one.
      Field(ifAny: "profile", \.savedProfile, .choice(Self.savedProfiles)),
      Field("virtio", \.virtio, .list(of: VirtioDevice.coding, atMost: VirtioDevice.limit)).since(minor: 3),
    ]
  }

  /// What a unit test's environment was is in guest memory.
  private static let savedProfiles: KeyValuePairs<String, MachineProfile> = [
    "linux": .linux, "unittest": .unitTest(UnitTestPlatform()), "unittest-without-pit": .unitTest(.withoutPIT),
  ]

  private var savedProfile: MachineProfile? {
    get {
      switch profile {
      case .standard: nil
      case .linux: .linux
      case .unitTest(let platform): .unitTest(platform.hasPIT ? UnitTestPlatform() : .withoutPIT)
      }
    }
    set { profile = newValue ?? .standard }
  }
}

extension VirtioDevice {
  /// The members of all kinds of devices.
  private struct Members {
    var kind = ""
    var path: String?
    var readOnly: Bool?

    static var fields: [Field<Members>] {
      [
        .text("kind", \.kind, atMost: 64), Field(ifAny: "path", \.path, .text(atMost: HostFile.longestPath)),
        Field(ifAny: "readOnly", \.readOnly, .flag),
      ]
    }
  }

  fileprivate static var coding: JSONCoding<VirtioDevice> {
    JSONCoding.object(Members.fields, Members()).map { (members) throws(JSONError) in
      switch members.kind {
      case "rng": return .entropy
      case "disk": return .disk(Disk(path: members.path ?? "", isReadOnly: members.readOnly ?? false))
      default: throw JSONError("\"rng\" or \"disk\" expected, not \"\(members.kind)\"", at: "kind")
      }
    } back: { device in
      switch device {
      case .entropy: Members(kind: device.kind)
      case .disk(let disk): Members(kind: device.kind, path: disk.path, readOnly: disk.isReadOnly)
      }
    }
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
      .text("file", \.file, atMost: HostFile.longestName), .hex("id", \.id), .hex("size", \.size),
      .hex("pages", \.pages),
      .hex("checksum", \.checksum),
    ]
  }
}

extension DeviceState {
  fileprivate static var members: [Field<DeviceState>] {
    // Far more than any register file has.
    let registers = JSONCoding<[(String, [UInt64])]>
      .dictionary(.text(atMost: 256), .list(of: .hex, atMost: 1 << 16), atMost: 1024)
      .map {
        Dictionary($0, uniquingKeysWith: { first, _ in first })
      } back: {
        $0.sorted { $0.key < $1.key }
      }
    return [.text("name", \.name, atMost: 256), Field("fields", \.fields, registers)]
  }
}

extension UnitTestPlatform {
  fileprivate static var withoutPIT: UnitTestPlatform {
    var platform = UnitTestPlatform()
    platform.hasPIT = false
    return platform
  }
}
