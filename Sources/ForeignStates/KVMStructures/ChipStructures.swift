import APIC
import KVM

extension PICState {
  /// `struct kvm_pic_state` in a `struct kvm_irqchip`.
  init(_ raw: StructureBytes) {
    self.init()
    (lastIRR, irr, imr, isr) = (raw[8], raw[9], raw[10], raw[11])
    (priorityAdd, irqBase, readRegisterSelect, poll) = (raw[12], raw[13], raw[14], raw[15])
    (specialMask, initState, autoEOI, rotateOnAutoEOI) = (raw[16], raw[17], raw[18], raw[19])
    (specialFullyNestedMode, init4, elcr, elcrMask) = (raw[20], raw[21], raw[22], raw[23])
  }
}

extension IOAPICState {
  /// `struct kvm_ioapic_state` in a `struct kvm_irqchip`.
  init(_ raw: StructureBytes) {
    self.init(
      baseAddress: raw[8], registerSelect: raw[16], id: raw[20], irr: raw[24],
      entries: (0..<IOAPIC.pinCount).map { RedirectionEntry(rawValue: raw[32 + 8 * $0]) })
  }
}

extension PITState {
  /// `struct kvm_pit_state2`.
  init(_ raw: StructureBytes) {
    self.init()
    (channel0, channel1, channel2) = (Channel(raw, at: 0), Channel(raw, at: 24), Channel(raw, at: 48))
    // KVM_PIT_FLAGS_HPET_LEGACY and _SPEAKER_DATA_ON.
    let flags: UInt32 = raw[72]
    (isReplacedByHPET, speakerDataOn) = (flags & 1 != 0, flags & 2 != 0)
  }
}

extension PITState.Channel {
  /// `struct kvm_pit_channel_state`.
  fileprivate init(_ raw: StructureBytes, at offset: Int) {
    self.init()
    (count, latchedCount) = (raw[offset], raw[offset + 4])
    (countLatched, statusLatched, status) = (raw[offset + 6], raw[offset + 7], raw[offset + 8])
    (readState, writeState, writeLatch) = (raw[offset + 9], raw[offset + 10], raw[offset + 11])
    (readWriteMode, mode, bcd, gate) = (raw[offset + 12], raw[offset + 13], raw[offset + 14], raw[offset + 15])
    countLoadTime = raw[offset + 16]
  }
}

extension ClockState {
  /// `struct kvm_clock_data`.
  init(_ raw: StructureBytes) { self.init(nanoseconds: raw[0]) }
}

extension LocalAPICState {
  /// `struct kvm_lapic_state`.
  init(_ raw: StructureBytes) {
    self.init()
    for index in registers.indices { registers[index] = raw[4 * index] }
  }
}
