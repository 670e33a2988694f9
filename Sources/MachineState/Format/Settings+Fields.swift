import APIC
import JSON
import KVM

extension MachineSettings {
  static var fields: [Field<MachineSettings>] {
    [
      .flag("irqchip", \.hasIRQChip),
      Field("capabilities", \.capabilities, EnabledCapability.list),
      Field("pit", \.pit, .optional(.object(PITOptions.fields, PITOptions(speakerDummy: false)))),
      .optionalHex("bootCPU", \.bootCPU), .optionalHex("tssAddress", \.tssAddress),
      .optionalHex("identityMapAddress", \.identityMapAddress), .optionalHex("tscKHz", \.tscKHz),
      Field("msrFilter", \.msrFilter, .optional(.object(MSRFilter.fields, MSRFilter(ranges: [])))),
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
      Field("capabilities", \.capabilities, MachineSettings.EnabledCapability.list),
    ]
  }
}

extension MachineSettings.EnabledCapability {
  fileprivate static var list: JSONCoding<[MachineSettings.EnabledCapability]> {
    // The number is what counts; the name is for people.
    let fields: [Field<MachineSettings.EnabledCapability>] = [
      Field(
        "number", \.capability,
        JSONCoding.count(in: 0...UInt32.max).map {
          Capability(rawValue: $0)
        } back: {
          $0.rawValue
        }),
      .remark("name") { .string($0.capability.name) },
      Field("arguments", \.arguments, .list(of: .hex, count: 4)),
    ]
    return .list(of: .object(fields, Self(Capability(rawValue: 0), [])), atMost: 64)
  }
}

extension MSRFilter {
  /// At most KVM_MSR_FILTER_MAX_RANGES ranges.
  fileprivate static var fields: [Field<MSRFilter>] {
    [
      .flag("allowsOthers", \.allowsOthers),
      Field("ranges", \.ranges, .list(of: .object(Range.fields, Range(base: 0, allows: [])), atMost: 16)),
    ]
  }
}

extension MSRFilter.Range {
  fileprivate static var fields: [Field<MSRFilter.Range>] {
    // As many MSRs as KVM's bitmaps hold (KVM_MSR_FILTER_MAX_BITMAP_SIZE).
    let bits = JSONCoding.text(atMost: 12288).map { (text) throws(JSONError) in
      guard !text.isEmpty, text.utf8.allSatisfy({ $0 == 0x30 || $0 == 0x31 }) else {
        throw JSONError("a 0 or a 1 for each register expected")
      }
      return text.utf8.map { $0 == 0x31 }
    } back: { (allows: [Bool]) in
      String(allows.map { $0 ? "1" : "0" })
    }
    return [
      .hex("base", \.base), .flag("reads", \.reads), .flag("writes", \.writes), Field("allows", \.allows, bits),
    ]
  }
}

extension GSIRoute {
  /// The members of all kinds of routes, of which one has those that it needs.
  private struct Members {
    var gsi: UInt32 = 0
    var chip: Chip?
    var pin: UInt32?
    var msiAddress: UInt64?
    var msiData: UInt32?
    var hypervVCPU: UInt32?
    var sint: UInt32?

    static var fields: [Field<Members>] {
      [
        .count("gsi", \.gsi, in: 0...4095),
        Field(
          ifAny: "chip", \.chip, .choice(["pic-master": .picMaster, "pic-slave": .picSlave, "ioapic": .ioapic])),
        Field(ifAny: "pin", \.pin, .count(in: 0...UInt32.max)),
        Field(ifAny: "msiAddress", \.msiAddress, .hex), Field(ifAny: "msiData", \.msiData, .hex),
        Field(ifAny: "hypervVCPU", \.hypervVCPU, .count(in: 0...UInt32.max)),
        Field(ifAny: "sint", \.sint, .count(in: 0...15)),
      ]
    }
  }

  static var coding: JSONCoding<GSIRoute> {
    JSONCoding.object(Members.fields, Members()).map { (members) throws(JSONError) in
      let gsi = members.gsi
      switch (members.chip, members.msiAddress, members.hypervVCPU) {
      case (let chip?, nil, nil):
        let pins: UInt32 = chip == .ioapic ? UInt32(IOAPIC.pinCount) : 8
        let pin = try needed(members.pin, "pin")
        guard pin < pins else { throw JSONError("\(pin) is not from 0 to \(pins - 1)", at: "pin") }
        return .irqChip(gsi: gsi, chip: chip, pin: pin)
      case (nil, let address?, nil):
        return .msi(gsi: gsi, MSIMessage(address: address, data: try needed(members.msiData, "msiData")))
      case (nil, nil, let vcpu?):
        return .hypervSINT(gsi: gsi, vcpu: vcpu, sint: try needed(members.sint, "sint"))
      default: throw JSONError("it has one of \"chip\", \"msiAddress\" and \"hypervVCPU\"")
      }
    } back: { route in
      switch route {
      case .irqChip(let gsi, let chip, let pin): Members(gsi: gsi, chip: chip, pin: pin)
      case .msi(let gsi, let message): Members(gsi: gsi, msiAddress: message.address, msiData: message.data)
      case .hypervSINT(let gsi, let vcpu, let sint): Members(gsi: gsi, hypervVCPU: vcpu, sint: sint)
      }
    }
  }

  private static func needed<Value>(_ value: Value?, _ name: String) throws(JSONError) -> Value {
    guard let value else { throw JSONError("it is missing", at: name) }
    return value
  }
}
