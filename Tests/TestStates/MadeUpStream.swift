/// A migration stream as QEMU writes it, with two processors and the chips: made up field by field.
package struct MadeUpStream {
  package var machine = "pc-i440fx-9.9"
  package var devices: [Device] = [
    .processor(0), .localAPIC(0), .processor(1), .localAPIC(1), .other, .ioapic, .pic(0), .pic(1), .clock,
  ]
  /// How large the block of memory is, of which three pages are in the stream.
  package var memorySize: UInt64 = 0x3000
  /// The command before the last part of memory; QEMU 10.0 and later write 11.
  package var command: UInt16?
  /// Whether the description follows.
  package var isDescribed = true

  package init() {}

  package struct Device {
    package var name: String
    package var instance: UInt32
    package var fields: [Field]
    package var subsection: (name: String, fields: [Field])?
  }

  package struct Field {
    package var name: String
    package var size: Int
    package var values: [UInt64]
    var isArray = false

    package init(_ name: String, _ size: Int, _ value: UInt64 = 0) {
      (self.name, self.size, self.values) = (name, size, [value])
    }

    package init(_ name: String, _ size: Int, _ values: [UInt64]) {
      (self.name, self.size, self.values, self.isArray) = (name, size, values, true)
    }

    var bytes: [UInt8] { values.flatMap { MadeUpStream.bigEndian($0, size) } }

    var description: String {
      let count = isArray ? ",\"array_len\":\(values.count)" : ""
      return "{\"name\":\"\(name)\"\(count),\"type\":\"uint\(8 * size)\",\"size\":\(size)}"
    }
  }

  static func bigEndian(_ value: UInt64, _ size: Int) -> [UInt8] {
    // A number of ten bytes is 1.0 in the extended format, its mantissa first.
    if size == 10 { return [0x80, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0xff] }
    return (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

  /// The stream.
  package var bytes: [UInt8] {
    var bytes = Array("QEVM".utf8) + Self.bigEndian(3, 4)
    bytes += [7] + Self.bigEndian(UInt64(machine.utf8.count), 4) + Array(machine.utf8)
    bytes += memory
    for (number, device) in devices.enumerated() {
      let number = Self.bigEndian(UInt64(number + 3), 4)
      bytes += [4] + number + Self.text(device.name) + Self.bigEndian(UInt64(device.instance), 4) + Self.bigEndian(1, 4)
      bytes += device.fields.flatMap(\.bytes)
      if let subsection = device.subsection {
        bytes += [5] + Self.text(subsection.name) + Self.bigEndian(1, 4) + subsection.fields.flatMap(\.bytes)
      }
      bytes += [0x7e] + number
    }
    bytes.append(0)
    guard isDescribed else { return bytes }
    let description = Array(
      "{\"page_size\":4096,\"devices\":[\(devices.map(\.description).joined(separator: ","))]}".utf8)
    return bytes + [6] + Self.bigEndian(UInt64(description.count), 4) + description
  }

  /// Guest memory: one block of three pages, one of which is all zero.
  private var memory: [UInt8] {
    let (end, number) = (Self.bigEndian(0x10, 8), Self.bigEndian(2, 4))
    var bytes = [1] + number + Self.text("ram") + Self.bigEndian(0, 4) + Self.bigEndian(4, 4)
    bytes += Self.bigEndian(memorySize | 4, 8) + Self.text("pc.ram") + Self.bigEndian(memorySize, 8) + end
    bytes += [0x7e] + number
    bytes += [2] + number + Self.bigEndian(8, 8) + Self.text("pc.ram") + Array(repeating: 0xa5, count: 4096)
    bytes += Self.bigEndian(0x1000 | 0x22, 8) + [0] + end + [0x7e] + number
    if let command { bytes += [8] + Self.bigEndian(UInt64(command), 2) + [0, 0] }
    bytes += [3] + number + Self.bigEndian(0x2000 | 0x28, 8) + Array(repeating: 0x5a, count: 4096) + end
    return bytes + [0x7e] + number
  }
}

extension MadeUpStream.Device {
  fileprivate var description: String {
    let list = { (fields: [MadeUpStream.Field]) in fields.map(\.description).joined(separator: ",") }
    let nested =
      subsection.map {
        ",\"subsections\":[{\"vmsd_name\":\"\($0.name)\",\"version\":1,\"fields\":[\(list($0.fields))]}]"
      }
      ?? ""
    return "{\"name\":\"\(name)\",\"instance_id\":\(instance),\"fields\":[\(list(fields))]\(nested)}"
  }

  package static func processor(_ index: UInt32) -> Self {
    Self(
      name: "cpu", instance: index,
      fields: [
        .init("env.regs", 8, (0..<16).map { 0x100 + $0 }), .init("env.eip", 8, 0x1234), .init("env.eflags", 8, 0x202),
        .init("env.hflags", 4), .init("env.cr[0]", 8, 0x11), .init("env.cr[2]", 8), .init("env.cr[3]", 8),
        .init("env.cr[4]", 8, 0x20), .init("env.interrupt_injected", 4, 0xffff_ffff),
        .init("env.mp_state", 4, index == 0 ? 0 : 3), .init("env.tsc", 8, 1_000_000),
        .init("env.exception_nr", 4, 0xffff_ffff), .init("env.nmi_pending", 1, 0),
      ],
      subsection: ("cpu/msr_tscdeadline", [.init("env.tsc_deadline", 8, 2_000_000)]))
  }

  package static func localAPIC(_ index: UInt32) -> Self {
    Self(
      name: "apic", instance: index,
      fields: [
        .init("apicbase", 4, index == 0 ? 0xfee0_0900 : 0xfee0_0800), .init("id", 1, UInt64(index)),
        .init("tpr", 1, 0x10),
        .init("spurious_vec", 4, 0x1ff), .init("log_dest", 1, 1 << UInt64(index)), .init("dest_mode", 1, 0xf),
        .init("isr", 4, [0, 0, 0, 0, 0, 0, 0, 0]), .init("tmr", 4, [0, 0, 0, 0, 0, 0, 0, 0]),
        .init("irr", 4, [0, 1 << 0x11, 0, 0, 0, 0, 0, 0]),
        .init("lvt", 4, [0x4_0040, 0x1_0000, 0x1_0000, 0x8700, 0x8400, 0x1_0000]), .init("esr", 4),
        .init("icr", 4, [0, 0]), .init("divide_conf", 4), .init("initial_count", 4, 1000),
      ])
  }

  package static let other = Self(name: "slirp", instance: 0, fields: [.init("data", 8, 7)])

  package static let ioapic = Self(
    name: "ioapic", instance: 0,
    fields: [
      .init("id", 1), .init("ioregsel", 1, 0x10), .init("irr", 4, 0),
      .init("ioredtbl", 8, (0..<24).map { $0 == 4 ? 0x0100_0000_0000_0034 : 0x1_0000 }),
    ])

  package static func pic(_ number: UInt32) -> Self {
    Self(
      name: "i8259", instance: number,
      fields: [.init("irr", 1), .init("imr", 1, 0xff), .init("isr", 1), .init("irq_base", 1, number == 0 ? 8 : 0x70)])
  }

  package static let clock = Self(name: "kvmclock", instance: 0, fields: [.init("clock", 8, 5_000_000_000)])
}
