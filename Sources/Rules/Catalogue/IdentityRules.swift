import APIC
import ForeignStates
import KVM
import MachineState

extension Rule {
  /// APIC ids, modes, and what CPUID says of them.
  static let identities: [Rule] = [
    Rule(
      ofVCPU: "id.ldr", "LDR against the x2APIC id", .contradiction,
      why: "In x2APIC mode the LDR follows from the id; by another one, logical destinations miss this vCPU.",
      reference: "SDM volume 3A, 12.12.10.2; KVM: kvm_apic_calc_x2apic_ldr",
      cause: "The page was taken in xAPIC mode, or written before IA32_APIC_BASE.",
      silence: "In xAPIC mode, where the guest writes the LDR as it likes."
    ) { vcpu, _ in
      guard vcpu.apicBase?.mode == .x2APIC, let page = vcpu[.logicalDestination], let id = vcpu.id else {
        return nil
      }
      let expected = Destination.x2APICLogicalID(of: id)
      guard page != expected else { return nil }
      return "LDR \(hex(page)); x2APIC id \(id) makes it \(hex(expected))"
    },
    Rule(
      "id.doubled", "An APIC id that two vCPUs have", .contradiction,
      why: "A physical destination names one processor; KVM sends to one of the two, or to both.",
      reference: "SDM volume 3A, 12.4.6; KVM: kvm_recalculate_apic_map",
      cause: "A page of one vCPU that was written to all; ids taken from the page in the wrong format."
    ) { state in
      var owners: [UInt32: [InspectableVCPU]] = [:]
      for vcpu in state.vcpus {
        if let id = vcpu.currentID { owners[id, default: []].append(vcpu) }
      }
      return owners.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { id, vcpus in
        let indices = vcpus.map { "\($0.index)" }.joined(separator: ", ")
        return Sighting(owner: "machine", seen: "APIC id \(id) is that of vCPUs \(indices)")
      }
    },
    Rule(
      ofVCPU: "id.format", "An APIC id in the wrong format", .contradiction,
      why: "KVM_SET_LAPIC reads the id in bits 31:24 in xAPIC mode, and in all 32 bits in x2APIC mode where "
        + "KVM_X2APIC_API_USE_32BIT_IDS is on; by the other format it refuses the page, or the vCPU gets another id.",
      reference: "KVM API, KVM_GET_LAPIC and KVM_CAP_X2APIC_API; SDM volume 3A, 12.4.6 and 12.12.5.1",
      cause: "The page was converted for a mode that the vCPU was not in, or the capability was on at one end only.",
      silence: "In x2APIC mode for id 0, which looks the same either way."
    ) { vcpu, state in
      guard let page = vcpu[.id], let mode = vcpu.apicBase?.mode else { return nil }
      switch mode {
      case .xAPIC where page & 0xff_ffff != 0:
        return "xAPIC mode, ID register \(hex(page)): bits 23:0 are reserved"
      case .x2APIC:
        guard let id = vcpu.id, id != 0 else { return nil }
        let right =
          switch state.hasWideIDs {
          case true?: page == id
          case false?: page == id << 24
          case nil: page == id || page == id << 24
          }
        return right ? nil : "x2APIC mode, vCPU id \(id), ID register \(hex(page))"
      default: return nil
      }
    },
    Rule(
      ofVCPU: "id.cpuid", "The APIC id against CPUID", .contradiction,
      why: "A guest finds its processors by the ids of CPUID, and sends IPIs to ids that nobody has.",
      reference: "SDM volume 2A, CPUID leaves 01H, 0BH and 1FH; SDM volume 3A, 12.4.6",
      cause: "The CPUID of one vCPU was given to all: a VMM has to write the id into each."
    ) { vcpu, _ in
      guard let id = vcpu.id else { return nil }
      if let leaf = vcpu.leaf(1), leaf.ebx >> 24 != id & 0xff {
        return "vCPU id \(id); CPUID.01H:EBX[31:24] is \(leaf.ebx >> 24)"
      }
      for function in [0xb, 0x1f] as [UInt32] {
        // A leaf whose levels are all 0 is not there.
        if let leaf = vcpu.leaf(function), leaf.ebx != 0, leaf.edx != id {
          return "vCPU id \(id); CPUID.\(String(function, radix: 16, uppercase: true))H:EDX is \(leaf.edx)"
        }
      }
      return nil
    },
    Rule(
      ofVCPU: "base.mode", "IA32_APIC_BASE in a mode that cannot be", .contradiction,
      why: "EXTD without EN is no mode, and x2APIC mode needs CPUID.01H:ECX[21]: KVM_SET_SREGS refuses either.",
      reference: "SDM volume 3A, 12.12.1; KVM: kvm_set_apic_base",
      cause: "The register was put together from parts; a CPUID with fewer features than where the state was saved."
    ) { vcpu, _ in
      guard let base = vcpu.apicBase else { return nil }
      if base.mode == .invalid { return "IA32_APIC_BASE is \(hex(base.rawValue)): EXTD without EN" }
      guard base.mode == .x2APIC, let leaf = vcpu.leaf(1), leaf.ecx >> 21 & 1 == 0 else { return nil }
      return "x2APIC mode, CPUID.01H:ECX[21] is 0"
    },
    Rule(
      ofVCPU: "base.twice", "IA32_APIC_BASE in two versions", .contradiction,
      why: "Which of the two holds depends on the order in which they are written.",
      reference: "KVM API, KVM_GET_SREGS and KVM_GET_MSRS",
      cause: "The special registers and the MSRs are of different moments."
    ) { vcpu, _ in
      guard let base = vcpu.apicBase, let other = vcpu.values.msr(MSR.apicBase), other != base.rawValue else {
        return nil
      }
      return "\(hex(base.rawValue)) of the special registers, \(hex(other)) of the MSRs"
    },
    Rule(
      ofVCPU: "base.disabled", "A disabled local APIC that has interrupts", .suspicion,
      why: "Nothing is taken through a local APIC that IA32_APIC_BASE has disabled.",
      reference: "SDM volume 3A, 12.4.3",
      cause: "The register page was saved and IA32_APIC_BASE was not."
    ) { vcpu, _ in
      guard vcpu.apicBase?.mode == .disabled, let requested = vcpu.interruptRequest, let served = vcpu.inService,
        !requested.isEmpty || !served.isEmpty
      else { return nil }
      return "IA32_APIC_BASE has the local APIC disabled; IRR \(requested), ISR \(served)"
    },
    Rule(
      ofVCPU: "base.moved", "A local APIC that is not at 0xfee00000", .suspicion,
      why: "KVM does not support another address.",
      reference: "SDM volume 3A, 12.4.5; KVM: kvm_lapic_set_base",
      cause: "A register that was not saved, or read from the wrong place."
    ) { vcpu, _ in
      guard let base = vcpu.apicBase, base.mode != .disabled, base.address != 0xfee0_0000 else { return nil }
      return "IA32_APIC_BASE has address \(hex(base.address))"
    },
    Rule(
      "bsp.several", "More than one bootstrap processor", .contradiction,
      why: "One processor starts the others; with two, each waits for or starts the other.",
      reference: "SDM volume 3A, 12.4.4; KVM API, KVM_SET_BOOT_CPU_ID",
      cause: "IA32_APIC_BASE of one vCPU that was written to all."
    ) { state in
      let bases = state.vcpus.compactMap(\.apicBase)
      let count = bases.count { $0.isBootstrapProcessor }
      return count > 1 ? [Sighting(owner: "machine", seen: "\(count) vCPUs have IA32_APIC_BASE.BSP")] : []
    },
    Rule(
      "bsp.none", "No bootstrap processor", .contradiction,
      why: "No vCPU starts by itself after a reset, and firmware and kernels take none for the first.",
      reference: "SDM volume 3A, 12.4.4; KVM API, KVM_SET_BOOT_CPU_ID",
      cause: "IA32_APIC_BASE was not saved, or was written with a constant."
    ) { state in
      let bases = state.vcpus.compactMap(\.apicBase)
      guard state.knows(.allVCPUs), !bases.isEmpty, bases.count == state.vcpus.count,
        !bases.contains(where: \.isBootstrapProcessor)
      else { return [] }
      return [Sighting(owner: "machine", seen: "none of \(bases.count) vCPUs has IA32_APIC_BASE.BSP")]
    },
    Rule(
      ofVCPU: "svr.off", "Requests in a local APIC that software has disabled", .suspicion,
      why: "A local APIC that software has disabled accepts no interrupts; these came before, or were written.",
      reference: "SDM volume 3A, 12.4.7.2; KVM: __apic_accept_irq",
      cause: "A guest that turned it off with interrupts waiting; an SVR that was not saved."
    ) { vcpu, _ in
      guard let spurious = vcpu[.spurious], spurious >> 8 & 1 == 0, let requested = vcpu.interruptRequest,
        !requested.isEmpty
      else { return nil }
      return "SVR \(hex(spurious)), IRR \(requested)"
    },
    Rule(
      ofVCPU: "esr.errors", "Errors in the ESR", .hint,
      why: "The local APIC has seen a message or a register access that it could not take.",
      reference: "SDM volume 3A, 12.5.3",
      cause: "A vector below 16, a destination that nobody has, a register that the mode does not have."
    ) { vcpu, _ in
      guard let status = vcpu[.errorStatus], status != 0 else { return nil }
      return "ESR \(hex(status)): \(ErrorStatus(rawValue: status))"
    },
  ]
}

extension InspectableVCPU {
  /// The id that its local APIC answers to; nil where it is not known: an x2APIC's page may have it in either format.
  var currentID: UInt32? {
    if apicBase?.mode == .xAPIC, let page = self[.id] { return page >> 24 }
    return id
  }
}
