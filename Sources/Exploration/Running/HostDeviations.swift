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
    // The ICR of x2APIC mode is kept in two halves (`x2apic_icr_is_split`), from Linux 6.12.
    case .kvmAMD where !survey.isKernel(before: 6, 12): deviations = deviations.without(.commandHalvesApart)
    default: break
    }
    // With APICv KVM searches the page for what is in service, and remembers nothing of it.
    if survey[.apicv].state == .available { deviations = deviations.without(.priorityStaleAfterRestore) }
    return deviations
  }
}
