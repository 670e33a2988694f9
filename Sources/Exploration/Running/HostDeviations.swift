public import KVM
public import ReferenceModel

extension Deviations {
  /// What a host's kernel is known to do otherwise than the manuals.
  ///
  /// - Parameter survey: The host, as it was found.
  public static func of(_ survey: HostSurvey) -> Deviations {
    var deviations = Deviations.kvm
    switch survey.backEnd {
    case .kvmPVM: deviations = deviations.with(.serviceEndsAtDelivery)
    // The ICR of x2APIC mode is kept in two halves (`x2apic_icr_is_split`): from Linux 6.12, and in stable kernels.
    case .kvmAMD:
      deviations = deviations.without(.commandHalvesApart).with(.commandHighKeptThroughReset)
      if survey[.apicv].state != .available { deviations = deviations.with(.taskPriorityFromCR8AtExit) }
      if survey.isEmulatedByQEMU { deviations = deviations.with(.shadowLostAtExit) }
    case .kvmIntel:
      deviations = deviations.with(.taskPriorityShadowed).with(.thresholdStaleAtEntry).with(.eventKeptByRefusedEntry)
    default: break
    }
    if survey.isKernel(before: 5, 18) { deviations = deviations.without(.commandHalvesApart) }
    if survey.isKernel(before: 6, 11) { deviations = deviations.with(.identifierSettable) }
    if survey.isKernel(before: 6, 15) { deviations = deviations.with(.wakeUpKept) }
    if survey.isKernel(before: 6, 5) { deviations = deviations.with(.picPollWithoutBit7) }
    if survey.isKernel(before: 6, 4) { deviations = deviations.with(.pendingNMIsReportedAsOne) }
    if survey.isKernel(before: 6, 3) {
      deviations = deviations.with(.identifierKeptFromX2APIC).with(.aliasesUnnoticed)
    }
    // With APICv KVM searches the page for what is in service, and remembers nothing of it.
    if survey[.apicv].state == .available {
      deviations = deviations.without(.priorityStaleAfterRestore).with(.priorityStaleWhileDisabled)
      if !survey.isKernel(before: 5, 7) { deviations = deviations.with(.clockEndSought) }
      if survey.backEnd == .kvmIntel {
        deviations = deviations.with(.selfIPIVirtualized).with(.virtualizationInhibitedByIdentifier)
          .with(.emptyServiceEnded)
        if survey.isKernel(before: 6, 19) { deviations = deviations.with(.serviceVectorStale) }
        if survey.isKernel(before: 6, 3) {
          deviations = deviations.with(.missingRegistersReadable).with(.inhibitionKept)
        }
      }
    }
    return deviations
  }
}

extension OperationKind {
  /// The operations that are left out on a host, each with the reason.
  ///
  /// - Parameter survey: The host, as it was found.
  public static func omitted(on survey: HostSurvey) -> [(name: String, reason: String)] {
    guard survey.backEnd == .kvmIntel else { return [] }
    let reason = "VT-x virtualizes accesses to the local APIC's page, which the model has nothing of"
    return [("page.read", reason), ("page.write", reason)]
  }
}
