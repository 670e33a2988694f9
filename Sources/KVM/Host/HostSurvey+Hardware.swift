extension HostSurvey {
  /// Finds out about a feature of the processor, which the vendor module's parameters tell: the module clears each when
  /// the processor lacks the feature (kernel, `vmx_hardware_setup` and `svm_hardware_setup`).
  func hardwareFinding(_ id: HostFeature.ID) -> HostFeature {
    switch backEnd {
    case .kvmIntel: intelFinding(id)
    case .kvmAMD: amdFinding(id)
    case .kvmPVM:
      HostFeature(
        id, .missing, evidence: "kvm_pvm is a software back end",
        hint: "use a host whose KVM runs on VT-x or AMD-V to see this")
    case .unknown(let name):
      HostFeature(id, .unknown, evidence: "the vendor module \(name) is not known")
    case nil:
      HostFeature(id, .unknown, evidence: "no vendor module is loaded", hint: "load kvm_intel or kvm_amd")
    }
  }

  private func intelFinding(_ id: HostFeature.ID) -> HostFeature {
    switch id {
    case .postedInterrupts:
      // cpu_has_vmx_apicv() asks for APIC-register virtualization, virtual-interrupt delivery and posted interrupts.
      parameterFinding(id, "enable_apicv", inference: "which kvm_intel leaves on only with posted interrupts")
    case .devicePostedInterrupts: devicePostingFinding(needs: "enable_apicv")
    case .ipiVirtualization: parameterFinding(id, "enable_ipiv")
    case .tprShadow: parameterFinding(id, "flexpriority", inference: "which needs the TPR shadow")
    case .virtualNMI: parameterFinding(id, "vnmi")
    case .preemptionTimer: parameterFinding(id, "preemption_timer")
    default: parameterFinding(id, "enable_apicv")
    }
  }

  private func amdFinding(_ id: HostFeature.ID) -> HostFeature {
    switch id {
    case .postedInterrupts: return parameterFinding(id, "avic", inference: "whose doorbell posts to a running vCPU")
    case .devicePostedInterrupts: return devicePostingFinding(needs: "avic")
    case .ipiVirtualization:
      // Before kvm_amd had enable_ipiv, AVIC always handled IPIs.
      guard parameter("enable_ipiv", of: "kvm_amd") == nil else { return parameterFinding(id, "enable_ipiv") }
      return parameterFinding(id, "avic", inference: "which handles IPIs")
    case .tprShadow: return HostFeature(id, .available, evidence: "every AMD-V processor has V_TPR")
    case .virtualNMI: return parameterFinding(id, "vnmi")
    case .preemptionTimer: return HostFeature(id, .missing, evidence: "AMD-V has no preemption timer")
    default: return parameterFinding(id, "avic")
    }
  }

  private func devicePostingFinding(needs base: String) -> HostFeature {
    let id = HostFeature.ID.devicePostedInterrupts
    let own = parameterFinding(id, base)
    guard own.state == .available else { return own }
    guard let text = parameter("enable_device_posted_irqs", of: "kvm") else {
      return HostFeature(
        id, .unknown, evidence: "\(own.evidence), but this kernel does not say whether the IOMMU posts")
    }
    return finding(id, module: "kvm", name: "enable_device_posted_irqs", text: text, inference: nil)
  }

  /// A feature that a parameter of the vendor module stands for.
  private func parameterFinding(_ id: HostFeature.ID, _ name: String, inference: String? = nil) -> HostFeature {
    let module = backEnd?.moduleName ?? "kvm"
    guard let text = parameter(name, of: module) else {
      return HostFeature(
        id, .unknown, evidence: "\(module) has no parameter \(name) that this user may read",
        hint: "run as root, or use a newer kernel")
    }
    return finding(id, module: module, name: name, text: text, inference: inference)
  }

  private func finding(
    _ id: HostFeature.ID, module: String, name: String, text: String, inference: String?
  ) -> HostFeature {
    let evidence = "\(module).\(name) is \(text)" + (inference.map { ", \($0)" } ?? "")
    switch text {
    case "Y", "1": return HostFeature(id, .available, evidence: evidence)
    case "N", "0":
      return HostFeature(
        id, .missing, evidence: evidence,
        hint: "reload the module with \(name)=1; if it stays \(text), the processor, or the hypervisor below, lacks it")
    default: return HostFeature(id, .unknown, evidence: evidence)
    }
  }
}
