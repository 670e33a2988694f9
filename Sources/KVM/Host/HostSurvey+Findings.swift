import CKVM
import Support
import SystemPackage

extension HostSurvey {
  /// Finds out about one feature, from what the survey has gathered.
  func finding(_ id: HostFeature.ID, _ paths: HostPaths) -> HostFeature {
    switch id {
    case .device: deviceFinding(paths)
    case .irqChip: capabilityFinding(id, .irqChip)
    case .splitIRQChip: capabilityFinding(id, .splitIRQChip)
    case .x2APICAPI:
      capabilityFinding(id, .x2APICAPI, bits: X2APICOptions.use32BitIDs.rawValue)
    case .suppressEOIBroadcast:
      capabilityFinding(id, .x2APICAPI, bits: X2APICOptions.enableSuppressEOIBroadcast.rawValue)
    case .apicBusFrequency: capabilityFinding(id, .apicBusCycles)
    case .statistics: capabilityFinding(id, .binaryStatsFD)
    case .blockIRQ: capabilityFinding(id, .setGuestDebug2, bits: UInt64(GuestDebugOptions.blockIRQ.rawValue))
    case .tdx: capabilityFinding(id, .vmTypes, bits: 1 << UInt64(VMType.tdx.rawValue))
    case .tracefs: tracefsFinding(paths)
    case .apicv, .postedInterrupts, .devicePostedInterrupts, .ipiVirtualization, .tprShadow, .virtualNMI,
      .preemptionTimer:
      hardwareFinding(id)
    }
  }

  private func deviceFinding(_ paths: HostPaths) -> HostFeature {
    guard let deviceError else {
      return HostFeature(.device, .available, evidence: "\(paths.device) speaks API version \(KVM.apiVersion)")
    }
    return HostFeature(
      .device, .missing, evidence: "\(deviceError.call) answers \(deviceError.errno)", hint: deviceError.hint)
  }

  /// A feature that a capability, or some of its bits, stands for.
  private func capabilityFinding(_ id: HostFeature.ID, _ capability: Capability, bits: UInt64? = nil) -> HostFeature {
    guard let value = value(capability) else {
      return HostFeature(id, .unknown, evidence: "/dev/kvm cannot be asked")
    }
    let isThere = bits.map { UInt64(bitPattern: Int64(value)) & $0 == $0 } ?? (value > 0)
    let shown = bits == nil ? "\(value)" : hex(value)
    return HostFeature(id, isThere ? .available : .missing, evidence: "\(capability) answers \(shown)")
  }

  private func tracefsFinding(_ paths: HostPaths) -> HostFeature {
    let mounts = [paths.sys.appending("kernel/tracing"), paths.sys.appending("kernel/debug/tracing")]
    if let mount = mounts.first(where: { HostFile.exists($0.appending("events")) }) {
      return HostFile.exists(mount.appending("events/kvm"))
        ? HostFeature(.tracefs, .available, evidence: "\(mount)/events/kvm is there")
        : HostFeature(.tracefs, .missing, evidence: "\(mount) has no events/kvm", hint: "load the kvm module")
    }
    guard let types = HostFile.text(paths.proc.appending("filesystems")) else {
      return HostFeature(.tracefs, .unknown, evidence: "\(paths.proc)/filesystems cannot be read")
    }
    guard types.split(whereSeparator: \.isWhitespace).contains("tracefs") else {
      return HostFeature(
        .tracefs, .missing, evidence: "the kernel knows no tracefs", hint: "boot a kernel with CONFIG_FTRACE")
    }
    return HostFeature(
      .tracefs, .available, evidence: "the kernel knows tracefs, which is not mounted or not readable here",
      hint: "as root: mount -t tracefs nodev \(mounts[0])")
  }
}

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
