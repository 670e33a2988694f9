import APIC
import Evidence
import KVM
import VMM

/// A way to have KVM turn APICv off for a whole VM, at the cost of a vCPU that is parked for it (kernel,
/// `enum kvm_apicv_inhibit`).
struct APICvInhibit: Sendable {
  /// A word for ids.
  let name: String
  /// The kernel's name for the reason.
  let reason: String
  /// What it is, for a title.
  let title: String
  /// The modes in which there is such a reason.
  var modes: [APICMode] = [.xAPIC, .x2APIC]
  /// What a host must have.
  var needs: [Need] = []
  /// What a host must have besides, for the reason to go away again.
  var needsToEnd: [Need] = []
  /// Turns APICv off by vCPU 1.
  let set: @Sendable (TestContext) throws -> Void
  /// Whether it is off for that reason, by the behaviour of vCPU 1.
  let isSet: @Sendable (TestContext) throws -> Bool
  /// Ends it; nil where nothing can.
  let clear: (@Sendable (TestContext) throws -> Void)?
}

extension APICvInhibit {
  /// Every reason that user space or a guest can bring about on VT-x.
  static let all = [blockIRQ, modifiedID, aliasedID, modifiedBase, automaticEOI]

  /// KVM_GUESTDBG_BLOCKIRQ.
  static let blockIRQ = APICvInhibit(
    name: "block-irq", reason: "APICV_INHIBIT_REASON_BLOCKIRQ", title: "a vCPU is debugged with its interrupts blocked",
    needs: [.feature(.blockIRQ)],
    set: { test in
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.setGuestDebug([.enable, .blockIRQ]) }
    },
    isSet: { test in
      let before = test.taken(0x31, on: 1)
      try test.signal(MSIMessage(vector: 0x31, destination: test[vcpu: 1].destination))
      return try test.isHeld(0x31, on: 1, takenBefore: before)
    },
    clear: { test in
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.setGuestDebug([]) }
    })

  /// An xAPIC id of the guest's choice.
  static let modifiedID = APICvInhibit(
    name: "id-modified", reason: "APICV_INHIBIT_REASON_APIC_ID_MODIFIED", title: "a guest changes an xAPIC id",
    modes: [.xAPIC], needsToEnd: [.trait(.restoredIDs)],
    set: { test in try test[vcpu: 1].write(.id, 9 << 24) },
    isSet: { test in try test[vcpu: 1].read(.id) == 9 << 24 },
    clear: { test in try test[vcpu: 1].write(.id, test[vcpu: 1].apicID << 24) })

  /// One id for two.
  static let aliasedID = APICvInhibit(
    name: "id-aliased", reason: "APICV_INHIBIT_REASON_PHYSICAL_ID_ALIASED", title: "two vCPUs have one xAPIC id",
    modes: [.xAPIC], needs: [.trait(.aliasedIDs)],
    set: { test in try test[vcpu: 1].write(.id, test[vcpu: 2].apicID << 24) },
    isSet: { test in
      let before = (1...2).map { test.taken(0x32, on: $0) }
      try test.signal(MSIMessage(vector: 0x32, destination: test[vcpu: 2].destination))
      try test.expectAtLeast(before[1] + 1, of: 0x32, on: 2)
      try test.expectAtLeast(before[0] + 1, of: 0x32, on: 1)
      return true
    },
    clear: { test in try test[vcpu: 1].write(.id, test[vcpu: 1].apicID << 24) })

  /// Registers elsewhere.
  static let modifiedBase = APICvInhibit(
    name: "base-moved", reason: "APICV_INHIBIT_REASON_APIC_BASE_MODIFIED", title: "a guest moves a local APIC's base",
    set: { test in
      var base = APICBase(rawValue: try test[vcpu: 1].readMSR(MSR.apicBase))
      base.address = movedBase
      try test[vcpu: 1].writeMSR(MSR.apicBase, base.rawValue)
    },
    isSet: { test in
      APICBase(rawValue: try test[vcpu: 1].readMSR(MSR.apicBase)).address == movedBase
    },
    clear: nil)

  private static let movedBase: UInt64 = 0xfed0_0000

  /// A synthetic interrupt source that ends its interrupts itself.
  static let automaticEOI = APICvInhibit(
    name: "auto-eoi", reason: "APICV_INHIBIT_REASON_HYPERV", title: "a Hyper-V SINT has AutoEOI",
    needs: [.capability(.hypervSynIC)],
    set: { test in try setSINT0(test, endsItself | 0x33) },
    isSet: { test in
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.msrs([sint0]).entries.first?.value }
        == endsItself | 0x33
    },
    clear: { test in try setSINT0(test, masked) })

  /// HV_X64_MSR_SINT0 and two of its bits (Hypervisor Top-Level Functional Specification, section 11.8.4).
  private static let sint0: UInt32 = 0x4000_0090
  private static let masked: UInt64 = 1 << 16
  private static let endsItself: UInt64 = 1 << 17

  private static func setSINT0(_ test: TestContext, _ value: UInt64) throws {
    let written = try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in
      try vcpu.enable(.hypervSynIC)
      return try vcpu.setMSRs([MSREntry(index: sint0, value: value)])
    }
    try test.check("KVM takes a value for HV_X64_MSR_SINT0", written.refused == nil)
  }
}

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
