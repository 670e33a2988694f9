import APIC
import KVM
import MachineState
import VMM

extension InspectableState {
  /// What QEMU saved: a migration stream (`migrate "exec:cat > FILE"`), taken apart by the description at its end.
  ///
  /// - Parameter reader: the stream, which stands at its first byte.
  init(qemu reader: QEMUReader) throws(ForeignStateError) {
    var reader = reader
    var sink = QEMUNoPages()
    let stream = try QEMUStream(&reader, &sink)
    try self.init(stream, try QEMUDescription(stream, wanted: Self.qemuDevices))
  }

  /// The devices whose fields an inspectable state has.
  static let qemuDevices: Set<String> = ["cpu_common", "cpu", "apic", "ioapic", "i8259", "i8254", "kvmclock"]

  /// The devices of a stream.
  ///
  /// - Parameters:
  ///   - stream: the stream.
  ///   - description: its description, with `qemuDevices` at least.
  init(_ stream: QEMUStream, _ description: QEMUDescription) throws(ForeignStateError) {
    self.init(format: .qemu)
    machine.guest = stream.machine
    let memory = stream.blocks.first { $0.name == "pc.ram" || $0.name == "ram-node0" }
    if let memory { remarks.append("\(memory.name) of \(memory.size >> 20) MiB; \(stream.pages) pages in the file") }
    let processors = description.devices(named: "cpu")
    let pages = description.devices(named: "apic")
    let halts = description.devices(named: "cpu_common")
    guard !processors.isEmpty || !pages.isEmpty else {
      throw ForeignStateError(.qemu, "the section of a processor (cpu) expected; the stream has none")
    }
    for index in 0..<max(processors.count, pages.count) {
      var vcpu = InspectableVCPU(unknown: index)
      if index < processors.count { vcpu.fill(fromQEMU: processors[index]) }
      if index < pages.count { vcpu.fill(fromQEMUAPIC: pages[index]) }
      if index < halts.count {
        let waitsForSIPI = index < pages.count && pages[index].number("wait_for_sipi") == 1
        vcpu.fill(isHalted: halts[index].number("halted") == 1, waitsForSIPI: waitsForSIPI)
      }
      append(vcpu)
    }
    fill(.allVCPUs)
    machine.settings.hasIRQChip = true
    fillChips(description)
    if let clock = description.devices(named: "kvmclock").first?.number("clock") {
      machine.time.clock = ClockState(nanoseconds: clock)
      fill(.guestClock)
    }
  }

  private mutating func fillChips(_ description: QEMUDescription) {
    if let chip = description.devices(named: "ioapic").first, let entries = chip.numbers("ioredtbl", count: 24) {
      machine.ioapic = IOAPICState(
        registerSelect: UInt32(truncatingIfNeeded: chip.number("ioregsel") ?? 0),
        id: UInt32(truncatingIfNeeded: chip.number("id") ?? 0),
        irr: UInt32(truncatingIfNeeded: chip.number("irr") ?? 0),
        entries: entries.map { RedirectionEntry(rawValue: $0) })
      fill(.ioapic)
    }
    let pics = description.devices(named: "i8259").sorted { $0.instance < $1.instance }
    if pics.count == 2 {
      // Which lines can be level-triggered is the chip's and is not saved (KVM: kvm_pic_init).
      machine.pics = PICPair(
        master: PICState(qemu: pics[0], levelMask: 0xf8), slave: PICState(qemu: pics[1], levelMask: 0xde))
      fill(.pics, .picDetails)
    }
    if let timer = description.devices(named: "i8254").first {
      var pit = PITState()
      pit.channel0 = PITState.Channel(qemu: timer, "channels[0].")
      pit.channel1 = PITState.Channel(qemu: timer, "channels[1].")
      pit.channel2 = PITState.Channel(qemu: timer, "channels[2].")
      pit.isReplacedByHPET = timer.number("channels[0].irq_disabled") == 1
      machine.pit = pit
      fill(.pit)
    }
  }

  private typealias PICPair = MachineState.PICPair
}

extension PICState {
  fileprivate init(qemu device: QEMUDevice, levelMask: UInt8) {
    self.init()
    func byte(_ name: String) -> UInt8 { UInt8(truncatingIfNeeded: device.number(name) ?? 0) }
    (lastIRR, irr, imr, isr) = (byte("last_irr"), byte("irr"), byte("imr"), byte("isr"))
    (priorityAdd, irqBase) = (byte("priority_add"), byte("irq_base"))
    (readRegisterSelect, poll, specialMask) = (byte("read_reg_select"), byte("poll"), byte("special_mask"))
    (initState, autoEOI, rotateOnAutoEOI) = (byte("init_state"), byte("auto_eoi"), byte("rotate_on_auto_eoi"))
    (specialFullyNestedMode, init4) = (byte("special_fully_nested_mode"), byte("init4"))
    (elcr, elcrMask) = (byte("elcr"), levelMask)
  }
}

extension PITState.Channel {
  fileprivate init(qemu device: QEMUDevice, _ prefix: String) {
    self.init()
    func byte(_ name: String) -> UInt8 { UInt8(truncatingIfNeeded: device.number(prefix + name) ?? 0) }
    count = UInt32(truncatingIfNeeded: device.number(prefix + "count") ?? 0)
    latchedCount = UInt16(truncatingIfNeeded: device.number(prefix + "latched_count") ?? 0)
    (countLatched, statusLatched, status) = (byte("count_latched"), byte("status_latched"), byte("status"))
    (readState, writeState, writeLatch) = (byte("read_state"), byte("write_state"), byte("write_latch"))
    (readWriteMode, mode, bcd, gate) = (byte("rw_mode"), byte("mode"), byte("bcd"), byte("gate"))
    countLoadTime = device.signed(prefix + "count_load_time") ?? 0
  }
}
