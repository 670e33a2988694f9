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
