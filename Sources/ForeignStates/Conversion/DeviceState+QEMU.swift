import VMM

extension DeviceState {
  /// The first serial port (QEMU, hw/char/serial.c), as the machine's own has it.
  init(_ serial: QEMUDevice) {
    func value(_ name: String) -> UInt64 { serial.number("state." + name) ?? 0 }
    let divider = value("divider")
    self.init(
      name: "serial",
      fields: [
        "registers": [0, value("ier"), 0, value("lcr"), value("mcr"), 0, 0, value("scr")].map { $0 & 0xff },
        "divisor": [divider & 0xff, divider >> 8 & 0xff],
        "fifoControl": [value("fcr_vmstate") & 0xc9],
        // A character that came and was not read.
        "received": value("lsr") & 1 == 1 ? [value("rbr") & 0xff] : [],
        "pending": [value("lsr") >> 1 & 1, value("msr") & 0xf, value("iir") & 0xf == 2 ? 1 : 0],
      ])
  }
}
