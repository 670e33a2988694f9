public import APIC

extension InspectableState {
  /// The register pages of local APICs alone (`struct kvm_lapic_state`).
  ///
  /// - Parameter pages: the pages, one a vCPU.
  public init(pages: [LocalAPICState]) {
    self.init(format: .pages)
    for (index, page) in pages.enumerated() {
      var vcpu = InspectableVCPU(unknown: index)
      vcpu.set(page: page)
      append(vcpu)
    }
  }
}
