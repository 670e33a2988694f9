import APIC
import KVM

extension OperationKind {
  /// What vCPUs do to their local APICs' pages and to the IOAPIC by memory, with every width.
  static let memory: [OperationKind] = [
    OperationKind(
      .page, "read", "a vCPU reads in the page of its local APIC",
      [
        .vcpu, OperationArgument("offset", (0..<0x42).map { UInt64($0) << 4 }), .width,
        OperationArgument("shift", [0, 0, 0, 1, 2, 3, 4, 8]),
      ], needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      try subject.access(subject.vcpu(of: arguments), pageAccess(arguments, writing: nil))
    },
    OperationKind(
      .page, "write", "a vCPU writes in the page of its local APIC",
      [
        .vcpu,
        OperationArgument(
          "offset",
          [
            0xb0, 0x80, 0xf0, 0x300, 0x310, 0xd0, 0xe0, 0x20, 0x280, 0x350, 0x360, 0x320, 0x3e0, 0x3f0, 0x30, 0x100,
            0x400,
          ]), .width, OperationArgument("shift", [0, 0, 0, 0, 1, 4, 8]),
        OperationArgument(
          "value", [0, 0x40, 0x1ff, 0xff, 0x4_4040, 0xc_4060, 0x0100_0000, 0xc_4440, 0xc_4540, 0x1_0700, 0xffff_ffff]),
      ], weight: 20, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let access = pageAccess(arguments, writing: arguments[4])
      // No count is to end within a history.
      guard access.place & 0xff0 != 0x380 else { return .done }
      if access.place & 0xff0 == 0xb0, try subject.mayStrikeAtEOI(subject.vcpu(of: arguments)) { return .done }
      return try subject.access(subject.vcpu(of: arguments), access)
    },
    OperationKind(
      .page, "ioapic", "a vCPU selects a register of the IOAPIC and writes it",
      [
        .vcpu,
        OperationArgument("register", [0x38, 0x39, 0x3a, 0x3b, 0x12, 0x13, 0x18, 0x19, 0x20, 0x21, 0, 1, 2, 0x40]),
        .vector, .mode, OperationArgument("flags", [0, 0x8000, 0x800, 0x8800, 0x1_0000, 0x1_8000, 0x4000]),
        .destination,
      ], weight: 20, needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      let vcpu = subject.vcpu(of: arguments)
      let low = arguments[2] & 0xff | (arguments[3] & 7) << 8 | arguments[4] & 0x1_f800
      let isLow = arguments[1] >= 0x10 && arguments[1] & 1 == 0
      guard try !subject.mayStrike(arguments[1], with: isLow ? low : nil) else { return .done }
      _ = try subject.access(vcpu, GuestAccess(.ioapic, at: 0, width: 4, writing: arguments[1] & 0xff))
      return try subject.access(
        vcpu, GuestAccess(.ioapic, at: 0x10, width: 4, writing: isLow ? low : (arguments[5] & 0xff) << 24))
    },
    OperationKind(
      .page, "window", "a vCPU reads or writes at the IOAPIC's address",
      [
        .vcpu, OperationArgument("place", [0x10, 0, 0x20, 0x40, 0x11, 0x14, 0xf8]), .width,
        OperationArgument("write", OperationValues.flags), OperationArgument("value", OperationValues.words),
      ], needsGuest: true
    ) { (arguments, subject) throws(KVMError) in
      if arguments[3] & 1 != 0 {
        guard try !subject.mayStrike(nil, with: arguments[4]) else { return .done }
      }
      return try subject.access(
        subject.vcpu(of: arguments),
        GuestAccess(
          .ioapic, at: UInt16(arguments[1] & 0xff), width: width(arguments[2]),
          writing: arguments[3] & 1 == 0 ? nil : arguments[4] & 0xffff_ffff))
    },
    OperationKind(.guest, "off", "a vCPU runs with interrupts off", [.vcpu], needsGuest: true) {
      (arguments, subject) throws(KVMError) in
      try subject.runWithInterruptsOff(subject.vcpu(of: arguments))
    },
  ]

  private static func width(_ argument: UInt64) -> Int {
    GuestAccess.widths.contains(Int(truncatingIfNeeded: argument)) ? Int(truncatingIfNeeded: argument) : 4
  }

  private static func pageAccess(_ arguments: StepArguments, writing value: UInt64?) -> GuestAccess {
    let place = arguments[1] & 0xff0 | arguments[3] & 0xf
    return GuestAccess(
      .localAPIC, at: UInt16(truncatingIfNeeded: min(place, 0xff0)), width: width(arguments[2]), writing: value)
  }
}

extension InterruptSubject {
  /// Whether a vCPU that writes a register of the IOAPIC might send itself an NMI or an INIT by it, which strikes before it
  /// can tell that it has done so, and may leave it waiting for a SIPI that nobody sends: a pin is one of those, or becomes one. Of the
  /// lines' levels KVM does not tell all.
  ///
  /// - Parameters:
  ///   - register: Which; nil for the one that is selected.
  ///   - low: The lower half that is written; nil for another.
  func mayStrike(_ register: UInt64?, with low: UInt64?) throws(KVMError) -> Bool {
    let chip = try ioapic()
    let register = register ?? UInt64(chip.registerSelect)
    guard 0x10..<0x40 ~= register else { return false }
    let old = chip.entries[Int(register - 0x10) / 2]
    let new = register & 1 == 0 ? RedirectionEntry(rawValue: low ?? 0) : old
    return new.strikes
  }

  /// Whether a vCPU's EOI might have a pin send it an NMI or an INIT again: it has had the pin's vector as level-triggered.
  func mayStrikeAtEOI(_ vcpu: Int) throws(KVMError) -> Bool {
    let pins = try ioapic().entries.filter(\.strikes)
    guard !pins.isEmpty else { return false }
    let levels = try localAPIC(vcpu).triggerModes
    return pins.contains { levels.contains($0.vector) }
  }
}

extension RedirectionEntry {
  fileprivate var strikes: Bool { !isMasked && (deliveryMode == .nmi || deliveryMode == .initialize) }
}

extension OperationArgument {
  static let width = OperationArgument("width", [4, 4, 1, 2, 8])
}
