import APIC

extension InterruptEvidence {
  /// Concludes how interrupts of a vector came.
  ///
  /// Counters decide wherever they can, so that recording never changes a conclusion; a trace decides only where a
  /// kernel does not count injections, or where some interrupts of a vCPU were injected and others not.
  init(_ vcpu: VCPUObservation, vector: Vector, taken: Int, tally: TraceTally.Counts?) {
    self.vcpu = vcpu.index
    self.vector = vector
    self.taken = taken
    accepted = tally?.accepted
    acceptedByHardware = tally?.acceptedByHardware
    injected = tally?.injected
    wakeups = vcpu.counters?.wakeups
    let counted = Self.byCounters(vcpu)
    let conclusion = counted ?? Self.byTrace(tally)
    path = conclusion?.path
    verdictPath = vcpu.counters?.injections == nil ? path : counted?.path
    var basis = [conclusion?.basis ?? "neither counters nor tracepoints tell"]
    if let tally {
      if tally.accepted > 0 { basis.append("kvm_apic_accept_irq seen \(times(tally.accepted))") }
      if tally.acceptedByHardware > 0 { basis.append("kvm_apicv_accept_irq seen \(times(tally.acceptedByHardware))") }
      if tally.injected > 0 { basis.append("kvm_inj_virq seen \(times(tally.injected))") }
    }
    if let wakeups, wakeups > 0 { basis.append("woken from HLT \(times(Int(clamping: wakeups)))") }
    self.basis = basis.joined(separator: "; ")
  }

  private static func byCounters(_ vcpu: VCPUObservation) -> (path: DeliveryPath, basis: String)? {
    guard let counters = vcpu.counters, let injections = counters.injections else { return nil }
    let name = "irq_injections of vCPU \(vcpu.index)"
    guard let path = DeliveryPath(injections: injections, taken: vcpu.interruptsTaken) else { return nil }
    if path == .software { return (path, "\(name) grew by \(injections)") }
    // A vCPU that was halted was out of the guest, and one with exits of its own may have been.
    guard counters.wakeups == 0, counters["halt_exits"] == 0, let exits = counters.ownExits, exits == 0 else {
      return (.virtualDelivery, "\(name) did not grow")
    }
    return (.posted, "\(name) did not grow, nor did exits, but for those of the host's interrupts")
  }

  private static func byTrace(_ tally: TraceTally.Counts?) -> (path: DeliveryPath, basis: String)? {
    guard let tally else { return nil }
    if tally.injected > 0, tally.acceptedByHardware == 0 { return (.software, "by the trace") }
    if tally.acceptedByHardware > 0, tally.injected == 0 { return (.virtualDelivery, "by the trace") }
    return nil
  }
}

extension InterruptEvidence: CustomStringConvertible {
  /// What was taken, its way, and what that rests on.
  public var description: String {
    let way = path?.rawValue ?? "unknown way"
    return "vCPU \(vcpu) took \(vector) \(times(taken)): \(way): \(basis)"
  }
}

/// A count in words.
private func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }
