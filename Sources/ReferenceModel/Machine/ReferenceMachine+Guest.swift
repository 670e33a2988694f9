public import APIC

/// What a vCPU does inside of the guest.
extension ReferenceMachine {
  /// A vCPU enters the guest: it takes INIT and SIPI, learns which EOIs the IOAPIC is to hear of (`vcpu_scan_ioapic`), and
  /// a timer that has expired interrupts (`kvm_inject_apic_timer_irqs`).
  public mutating func enter(_ vcpu: Int) {
    _ = acceptEvents(vcpu)
    localAPICs[vcpu].broadcastVectors = broadcastVectors(vcpu)
    if localAPICs[vcpu].timer.hasExpired {
      localAPICs[vcpu].timer.hasExpired = false
      let entry = localAPICs[vcpu].page.lvt(.timer)
      if !entry.isMasked { _ = localAPICs[vcpu].accept(.fixed, entry.vector, isLevel: false, isAsserted: true) }
    }
  }

  /// The vectors of the pins that lead to a vCPU, or that it has in hand (`kvm_ioapic_scan_entry`).
  private func broadcastVectors(_ vcpu: Int) -> VectorSet {
    let apic = localAPICs[vcpu]
    var vectors = VectorSet()
    if ioapic.clockHolders >> UInt64(vcpu) & 1 != 0 { vectors.insert(Vector(rawValue: ioapic.clockVectors[vcpu])) }
    for pin in 0..<24 {
      let entry = ioapic[pin]
      guard entry.triggerMode == .level || pin == ReferenceIOAPIC.clockPin else { continue }
      let isHeld = apic.page.has(entry.vector, in: .inService) || apic.page.has(entry.vector, in: .interruptRequest)
      if isHeld || matchesEvenAbsent(apic, entry.destination) { vectors.insert(entry.vector) }
    }
    return vectors
  }

  /// What a running vCPU whose interrupts are enabled takes next: from the PICs where its LINT0 is an ExtINT
  /// (`kvm_cpu_get_interrupt`), else from its local APIC.
  public mutating func takeInterrupt(_ vcpu: Int) -> Vector? {
    if pic.output, acceptsExternal(vcpu) { return pic.acknowledge() }
    return localAPICs[vcpu].acknowledge()
  }

  /// Whether the PICs' interrupt reaches a vCPU (`kvm_apic_accept_pic_intr`).
  public func acceptsExternal(_ vcpu: Int) -> Bool {
    let apic = localAPICs[vcpu]
    guard apic.isPresent else { return true }
    let entry = apic.page.lvt(.lint0)
    return !entry.isMasked && entry.deliveryMode == .external
  }

  /// Writes a register of the IOAPIC.
  ///
  /// - Parameters:
  ///   - value: What.
  ///   - offset: From the chip's address.
  public mutating func writeIOAPIC(_ value: UInt32, at offset: UInt64) {
    let (sending, ended) = ioapic.write(value, at: offset)
    for pin in 0..<24 where sending >> UInt32(pin) & 1 != 0 { _ = service(pin, tellsStatus: false) }
    guard let ended else { return }
    let again = ioapic.endOfInterrupt(ended, isLevel: true, isSuppressed: false, vcpu: 0)
    for pin in 0..<24 where again >> UInt32(pin) & 1 != 0 && ioapic.canSend(pin) { _ = service(pin, tellsStatus: false) }
  }

  /// Writes a port of the PICs.
  public mutating func writePIC(_ value: UInt8, to port: UInt16) { pic.write(value, to: port) }

  /// Reads a port of the PICs, which may acknowledge.
  public mutating func readPIC(_ port: UInt16) -> UInt8 { pic.read(port) }
}
