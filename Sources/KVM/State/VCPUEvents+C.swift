import CKVM

extension VCPUEvents {
  init(_ raw: kvm_vcpu_events) {
    func has(_ flag: Int32) -> Bool { raw.flags & UInt32(flag) != 0 }
    exception.injected = raw.exception.injected != 0
    exception.pending = raw.exception.pending != 0
    exception.number = raw.exception.nr
    exception.errorCode = raw.exception.has_error_code != 0 ? raw.exception.error_code : nil
    exception.payload = raw.exception_has_payload != 0 ? raw.exception_payload : nil
    interrupt.injected = raw.interrupt.injected != 0
    interrupt.number = raw.interrupt.nr
    interrupt.soft = raw.interrupt.soft != 0
    interrupt.shadow = raw.interrupt.shadow
    nmi.injected = raw.nmi.injected != 0
    nmi.pending = raw.nmi.pending
    nmi.masked = raw.nmi.masked != 0
    if has(KVM_VCPUEVENT_VALID_SMM) {
      var smi = SMI()
      smi.inSMM = raw.smi.smm != 0
      smi.pending = raw.smi.pending != 0
      smi.insideNMI = raw.smi.smm_inside_nmi != 0
      smi.latchedINIT = raw.smi.latched_init != 0
      self.smi = smi
    }
    if has(KVM_VCPUEVENT_VALID_TRIPLE_FAULT) { tripleFault = raw.triple_fault.pending != 0 }
  }
}

extension kvm_vcpu_events {
  init(_ value: VCPUEvents) {
    self.init()
    exception.injected = value.exception.injected ? 1 : 0
    exception.nr = value.exception.number
    exception.has_error_code = value.exception.errorCode == nil ? 0 : 1
    exception.error_code = value.exception.errorCode ?? 0
    interrupt.injected = value.interrupt.injected ? 1 : 0
    interrupt.nr = value.interrupt.number
    interrupt.soft = value.interrupt.soft ? 1 : 0
    interrupt.shadow = value.interrupt.shadow
    nmi.injected = value.nmi.injected ? 1 : 0
    nmi.pending = value.nmi.pending
    nmi.masked = value.nmi.masked ? 1 : 0
    flags = UInt32(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW)
    if value.exception.pending || value.exception.payload != nil {
      flags |= UInt32(KVM_VCPUEVENT_VALID_PAYLOAD)
      exception.pending = value.exception.pending ? 1 : 0
      exception_has_payload = value.exception.payload == nil ? 0 : 1
      exception_payload = value.exception.payload ?? 0
    }
    if let vector = value.sipiVector {
      flags |= UInt32(KVM_VCPUEVENT_VALID_SIPI_VECTOR)
      sipi_vector = UInt32(vector)
    }
    if let smi = value.smi {
      flags |= UInt32(KVM_VCPUEVENT_VALID_SMM)
      self.smi.smm = smi.inSMM ? 1 : 0
      self.smi.pending = smi.pending ? 1 : 0
      self.smi.smm_inside_nmi = smi.insideNMI ? 1 : 0
      self.smi.latched_init = smi.latchedINIT ? 1 : 0
    }
    if let fault = value.tripleFault {
      flags |= UInt32(KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
      triple_fault.pending = fault ? 1 : 0
    }
  }
}
