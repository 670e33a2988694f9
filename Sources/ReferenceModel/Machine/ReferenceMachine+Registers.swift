import APIC

extension ReferenceMachine {
  /// Writes a register of a vCPU's local APIC, and does what that asks for.
  ///
  /// - Parameters:
  ///   - vcpu: Whose.
  ///   - offset: The register's offset in the page.
  ///   - value: What.
  ///   - moment: When.
  /// - Returns: Whether it was taken; what is refused is a general-protection exception in x2APIC mode.
  public mutating func write(_ vcpu: Int, offset: UInt16, _ value: UInt64, at moment: Moment) -> Bool {
    switch localAPICs[vcpu].write(value, to: offset, at: moment) {
    case .refused: return false
    case .none: break
    case .destinations:
      destinationsChanged()
      if offset == LocalAPICRegister.id.rawValue { noticeIdentifier(vcpu) }
    case .send(let command): _ = deliver(BusMessage(command), from: vcpu)
    case .endOfInterrupt(let vector, let isLevel): endOfInterrupt(vector, isLevel: isLevel, vcpu)
    }
    return true
  }

  /// Writes an x2APIC register by its MSR, IA32_APIC_BASE or IA32_TSC_DEADLINE.
  ///
  /// - Parameters:
  ///   - vcpu: Whose.
  ///   - index: The MSR.
  ///   - value: What.
  ///   - byHost: Whether the machine's owner writes it, by KVM_SET_MSRS.
  ///   - moment: When.
  /// - Returns: Whether it was taken.
  public mutating func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64, byHost: Bool, at moment: Moment) -> Bool
  {
    switch index {
    case MSR.apicBase:
      let mode = localAPICs[vcpu].mode
      // The map may have to stay as it is now.
      _ = destinationMap()
      let isTaken = localAPICs[vcpu].setBase(APICBase(rawValue: value), byHost: byHost)
      let isKept =
        mode == .x2APIC && localAPICs[vcpu].mode == .xAPIC
        && configuration.deviations.contains(.identifierKeptFromX2APIC)
      if mode != localAPICs[vcpu].mode {
        localAPICs[vcpu].updateVirtualization(isInhibited: isVirtualizationInhibited)
        if !isKept { destinationsChanged() }
      }
      return isTaken
    case MSR.tscDeadline:
      localAPICs[vcpu].setTSCDeadline(value)
      return true
    default:
      guard let offset = Self.offset(index), localAPICs[vcpu].mode == .x2APIC else { return false }
      return write(vcpu, offset: offset, value, at: moment)
    }
  }

  /// Reads an x2APIC register by its MSR, IA32_APIC_BASE or IA32_TSC_DEADLINE.
  ///
  /// - Returns: The values that it may have; nil where the read is refused.
  public mutating func readMSR(_ vcpu: Int, _ index: UInt32, at moment: Moment) -> ClosedRange<UInt64>? {
    switch index {
    case MSR.apicBase: return localAPICs[vcpu].base.rawValue...localAPICs[vcpu].base.rawValue
    case MSR.tscDeadline: return localAPICs[vcpu].tscDeadline...localAPICs[vcpu].tscDeadline
    default:
      guard let offset = Self.offset(index), localAPICs[vcpu].mode == .x2APIC else { return nil }
      return localAPICs[vcpu].read(offset, at: moment)
    }
  }

  /// The offset of the register that an x2APIC MSR is.
  static func offset(_ index: UInt32) -> UInt16? {
    index >= MSR.x2APICBase && index <= MSR.x2APICBase + 0x3f ? UInt16((index - MSR.x2APICBase) << 4) : nil
  }

  /// The service of an interrupt has ended on a vCPU (`kvm_ioapic_update_eoi`).
  mutating func endOfInterrupt(_ vector: Vector, isLevel: Bool, _ vcpu: Int) {
    let again = ioapic.endOfInterrupt(
      vector, isLevel: isLevel, isSuppressed: localAPICs[vcpu].page.spurious.suppressesEOIBroadcast, vcpu: vcpu)
    if again != 0 { met.insert(.pinSentAgain) }
    for pin in 0..<24 where again >> UInt32(pin) & 1 != 0 && ioapic.canSend(pin) {
      _ = service(pin, tellsStatus: false)
    }
  }

  /// Who is reached by which destination has changed: it is to be worked out again, and vCPUs learn of it.
  mutating func destinationsChanged() {
    forgetDestinations()
    noticeIdentifiers()
    requestScan()
  }

  /// Who is reached by which destination is to be worked out again, and nobody learns of it.
  package mutating func forgetDestinations() { map = nil }

  /// Every vCPU is to learn anew which EOIs the IOAPIC is to hear of (`kvm_make_scan_ioapic_request`).
  mutating func requestScan() {
    for vcpu in localAPICs.indices { localAPICs[vcpu].processor.hasScanRequest = true }
  }

  /// A vCPU takes INIT and SIPI that wait, and says what it does (KVM_GET_MP_STATE does both).
  public mutating func acceptEvents(_ vcpu: Int) -> ProcessorState.Activity {
    if localAPICs[vcpu].acceptEvents() { destinationsChanged() }
    return localAPICs[vcpu].processor.activity
  }

  /// Sets what a vCPU does (KVM_SET_MP_STATE).
  public mutating func setActivity(_ vcpu: Int, _ activity: ProcessorState.Activity) {
    localAPICs[vcpu].processor.activity = activity
    localAPICs[vcpu].forgetWakeUp()
    localAPICs[vcpu].processor.hasEvent = true
  }
}
