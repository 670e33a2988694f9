import APIC

/// What a vCPU reaches by memory and ports instead of by MSRs.
extension ReferenceMachine {
  /// A guest reads in the page of its local APIC (SDM volume 3A, section 12.4.1; `apic_mmio_read`).
  ///
  /// - Parameters:
  ///   - vcpu: Whose.
  ///   - offset: In the page, 0 to 0xfff.
  ///   - width: How many bytes: 1, 2, 4 or 8.
  ///   - moment: When.
  /// - Returns: The values that it may have. What the manual leaves undefined may be anything: an access that is not within the
  ///   first four bytes of a register, or of a register that is not there.
  public mutating func readPage(_ vcpu: Int, at offset: UInt64, width: Int, at moment: Moment) -> ClosedRange<UInt64> {
    let mask = width < 8 ? UInt64(1) << UInt64(8 * width) - 1 : .max
    // Outside of xAPIC mode nothing is there (KVM API, KVM_X86_QUIRK_LAPIC_MMIO_HOLE).
    guard localAPICs[vcpu].mode == .xAPIC else {
      met.insert(.pageAccessIgnored)
      return mask...mask
    }
    let shift = offset & 0xf
    guard shift + UInt64(width) <= 4, offset < 0x400,
      let values = localAPICs[vcpu].read(UInt16(offset & 0x3f0), at: moment)
    else { return 0...mask }
    met.insert(.pageRead)
    guard values.lowerBound != values.upperBound else {
      let value = values.lowerBound >> (8 * shift) & mask
      return value...value
    }
    return width == 4 ? values : 0...mask
  }

  /// A guest writes in the page of its local APIC: 32 bits at the beginning of a register, and nothing else has an effect
  /// (SDM volume 3A, section 12.4.1; `apic_mmio_write`).
  ///
  /// - Parameters:
  ///   - vcpu: Whose.
  ///   - value: What.
  ///   - offset: In the page, 0 to 0xfff.
  ///   - width: How many bytes.
  ///   - moment: When.
  public mutating func writePage(_ vcpu: Int, _ value: UInt64, at offset: UInt64, width: Int, at moment: Moment) {
    guard localAPICs[vcpu].mode == .xAPIC, width == 4, offset & 0xf == 0, offset < 0x400 else {
      return met.insert(.pageAccessIgnored)
    }
    met.insert(.pageWritten)
    _ = write(vcpu, offset: UInt16(offset), value & 0xffff_ffff, at: moment)
  }

  /// A guest reads at the IOAPIC's address with any width (`ioapic_mmio_read`).
  ///
  /// - Parameters:
  ///   - offset: From the chip's address, 0 to 0xff.
  ///   - width: How many bytes: 1, 2, 4 or 8.
  public mutating func readIOAPIC(at offset: UInt64, width: Int) -> UInt64 {
    met.insert(.ioapicAccessed)
    let mask = width < 4 ? UInt32(1) << UInt32(8 * width) - 1 : .max
    return UInt64(ioapic.read(at: offset) & mask)
  }

  /// A guest writes at the IOAPIC's address with any width: what is missing of 32 bits is 0 (`ioapic_mmio_write`).
  ///
  /// - Parameters:
  ///   - value: What.
  ///   - offset: From the chip's address, 0 to 0xff.
  ///   - width: How many bytes: 1, 2, 4 or 8.
  public mutating func writeIOAPIC(_ value: UInt64, at offset: UInt64, width: Int) {
    met.insert(.ioapicAccessed)
    let mask = width < 4 ? UInt64(1) << UInt64(8 * width) - 1 : 0xffff_ffff
    writeIOAPIC(UInt32(value & mask), at: offset)
  }

  /// A guest reads ports of the PICs with any width: 8 bits give a register, others 0 (`picdev_read`).
  ///
  /// - Parameters:
  ///   - port: The first port.
  ///   - width: How many bytes: 1 or 2.
  public mutating func readPorts(_ port: UInt16, width: Int) -> UInt64 {
    met.insert(.portAccessed)
    return width == 1 ? UInt64(readPIC(port)) : 0
  }

  /// A guest writes ports of the PICs with any width: 8 bits alone have an effect (`picdev_write`).
  ///
  /// - Parameters:
  ///   - value: What.
  ///   - port: The first port.
  ///   - width: How many bytes: 1 or 2.
  public mutating func writePorts(_ value: UInt64, to port: UInt16, width: Int) {
    met.insert(.portAccessed)
    if width == 1 { writePIC(UInt8(truncatingIfNeeded: value), to: port) }
  }

  /// The vCPUs that a pin's fixed message is meant for, or was before its entry was written, learn anew which EOIs the IOAPIC is
  /// to hear of; with any other message all do (`ioapic_write_indirect`).
  mutating func requestScan(of old: RedirectionEntry, _ new: RedirectionEntry) {
    guard new.deliveryMode == .fixed else { return requestScan() }
    var meant = vcpusMeant(by: BusMessage(new))
    if old.destination != new.destination {
      var before = BusMessage(new)
      let isInNewMode = configuration.deviations.contains(.formerDestinationInNewMode)
      before.destination = Destination(
        old.destination.identifier, mode: isInNewMode ? new.destination.mode : old.destination.mode)
      meant |= vcpusMeant(by: before)
    }
    for vcpu in localAPICs.indices where meant >> UInt64(vcpu) & 1 != 0 {
      localAPICs[vcpu].processor.hasScanRequest = true
    }
  }
}
