import Evidence

extension TestContext {
  /// Reasons that every machine has for a while as it is built: DISABLED and ABSENT (kernel, `enum kvm_apicv_inhibit`).
  private static let reasonsAtStart = [0, 2]

  /// Ends an inhibit while nothing is in service on vCPU 0: Linux before 6.19 loses the EOI of what is.
  func clear(_ inhibit: APICvInhibit) throws {
    try fence(0)
    // Its handlers have ended when it does something else.
    _ = try self[vcpu: 0].readTSC()
    try inhibit.clear?(self)
  }

  /// Expects that the tracepoint kvm_apicv_inhibit_changed has shown how APICv was inhibited, or released, last. Where it
  /// is not recorded, or the kernel has none, the scenario's other expectations have to do.
  func checkInhibitEvent(isSet: Bool) throws {
    guard let events = traceEvents else { return note("kvm_apicv_inhibit_changed", "not recorded") }
    let changes = events.compactMap { event -> (isSet: Bool, reason: Int, inhibits: UInt64)? in
      guard case .inhibit(let isSet, let reason, let inhibits) = event.detail else { return nil }
      return Self.reasonsAtStart.contains(reason) ? nil : (isSet, reason, inhibits)
    }
    guard !changes.isEmpty || events.contains(where: { if case .inhibit = $0.detail { true } else { false } }) else {
      return note("kvm_apicv_inhibit_changed", "this kernel has none")
    }
    guard let last = changes.last else {
      throw ScenarioFailure("kvm_apicv_inhibit_changed shows no reason of the scenario's")
    }
    note("kvm_apicv_inhibit_changed", "\(last.isSet ? "set" : "cleared") reason \(last.reason)")
    try check("the inhibit is \(isSet ? "set" : "cleared") in kvm_apicv_inhibit_changed", last.isSet, equals: isSet)
    let bit = UInt64(1) << UInt64(clamping: last.reason)
    try check("the inhibits that hold afterwards", last.inhibits & bit != 0, equals: isSet)
  }
}
