extension MadeUpStream {
  /// One of a machine that can go on.
  package static var whole: MadeUpStream {
    var stream = MadeUpStream()
    stream.memorySize = 2 << 20
    stream.devices = [
      .timer, .halt(0), .wholeProcessor(0), .localAPIC(0), .halt(1), .wholeProcessor(1), .localAPIC(1), .other, .ioapic,
      .pic(0), .pic(1), .pit, .serial, .clock,
    ]
    return stream
  }
}

/// The rest of what a machine needs to go on.
extension MadeUpStream.Device {
  static let timer = Self(
    name: "timer", instance: 0,
    fields: [.init("cpu_ticks_offset", 8), .init("unused", 8), .init("cpu_clock_offset", 8, 7_000)])

  package static func halt(_ index: UInt32) -> Self {
    Self(
      name: "cpu_common", instance: index,
      fields: [.init("halted", 4, UInt64(index)), .init("interrupt_request", 4)])
  }

  static func wholeProcessor(_ index: UInt32) -> Self {
    var processor = processor(index)
    for name in (0..<6).map({ "segs[\($0)]" }) + ["ldt", "tr", "gdt", "idt"] {
      processor.fields += [
        .init("env.\(name).selector", 4), .init("env.\(name).base", 8), .init("env.\(name).limit", 4, 0xffff),
        .init("env.\(name).flags", 4, 0x9300),
      ]
    }
    processor.fields += [
      .init("env.dr", 8, [0, 0, 0, 0, 0, 0, 0xffff_0ff0, 0x400]), .init("env.fpuc", 2, 0x37f),
      .init("env.fptag_vmstate", 2, 0xfe), .init("env.fpregs[0].tmp", 10, 0),
      .init("env.xmm_regs[0][1]._q_ZMMReg[0]", 8, 0x34),
      .init("env.mtrr_var[0].mask", 8, 0xf_ffff_8000_0800), .init("env.xcr0", 8, 1), .init("env.tsc_khz", 8, 2_000_000),
    ]
    return processor
  }

  static let pit = Self(
    name: "i8254", instance: 0, fields: [.init("channels[0].count", 4, 0x1000), .init("channels[0].mode", 1, 2)])

  static let serial = Self(
    name: "serial", instance: 0,
    fields: [.init("state.divider", 2, 12), .init("state.rbr", 1, 0x41), .init("state.lsr", 1, 0x61)])
}
