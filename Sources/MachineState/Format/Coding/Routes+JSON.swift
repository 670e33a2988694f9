import APIC
import KVM

extension GSIRoute {
  private static let chipNames: [(Chip, String)] = [
    (.picMaster, "pic-master"), (.picSlave, "pic-slave"), (.ioapic, "ioapic"),
  ]

  var json: JSONValue {
    switch self {
    case .irqChip(let gsi, let chip, let pin):
      .object([
        "gsi": .number(Int64(gsi)), "chip": .string(Self.chipNames.first { $0.0 == chip }?.1 ?? ""),
        "pin": .number(Int64(pin)),
      ])
    case .msi(let gsi, let message):
      .object([
        "gsi": .number(Int64(gsi)), "msiAddress": .hex(message.address), "msiData": .hex(message.data),
      ])
    case .hypervSINT(let gsi, let vcpu, let sint):
      .object(["gsi": .number(Int64(gsi)), "hypervVCPU": .number(Int64(vcpu)), "sint": .number(Int64(sint))])
    }
  }

  init(json: JSONValue, _ notes: DecodingNotes) throws(MalformedState) {
    var reader = try ObjectReader(json, notes)
    let gsi: UInt32 = try reader.required("gsi") { json, _ throws(MalformedState) in try json.integer(in: 0...4095) }
    let chip = try reader.optional("chip") { json, _ throws(MalformedState) in
      let name = try json.text(atMost: 20)
      guard let chip = Self.chipNames.first(where: { $0.1 == name })?.0 else {
        throw MalformedState("\"pic-master\", \"pic-slave\" or \"ioapic\" expected, not \"\(name)\"")
      }
      return chip
    }
    let address = try reader.optional("msiAddress") { json, _ throws(MalformedState) in try json.hex(UInt64.self) }
    let vcpu: UInt32? = try reader.optional("hypervVCPU") { json, _ throws(MalformedState) in
      try json.integer(in: 0...UInt32.max)
    }
    switch (chip, address, vcpu) {
    case (let chip?, nil, nil):
      let pins: UInt32 = chip == .ioapic ? UInt32(IOAPIC.pinCount) : 8
      let pin: UInt32 = try reader.required("pin") { json, _ throws(MalformedState) in
        try json.integer(in: 0...pins - 1)
      }
      self = .irqChip(gsi: gsi, chip: chip, pin: pin)
    case (nil, let address?, nil):
      let data = try reader.required("msiData") { json, _ throws(MalformedState) in try json.hex(UInt32.self) }
      self = .msi(gsi: gsi, MSIMessage(address: address, data: data))
    case (nil, nil, let vcpu?):
      let sint: UInt32 = try reader.required("sint") { json, _ throws(MalformedState) in try json.integer(in: 0...15) }
      self = .hypervSINT(gsi: gsi, vcpu: vcpu, sint: sint)
    default: throw MalformedState("it has one of \"chip\", \"msiAddress\" and \"hypervVCPU\"")
    }
    reader.finish()
  }
}
