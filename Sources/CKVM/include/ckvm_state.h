// vCPU ioctls that read or write the state of a vCPU. KVM API sections are named as the ioctls are.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_GET_REGS, KVM_SET_REGS: general-purpose registers, RIP and RFLAGS.
static inline int ckvm_get_regs(int vcpu, struct kvm_regs *regs) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_REGS, regs);
}
static inline int ckvm_set_regs(int vcpu, const struct kvm_regs *regs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_REGS, regs);
}

// KVM_GET_SREGS, KVM_SET_SREGS: segments, tables, control registers, EFER, APIC base. EINVAL: an impossible mix.
static inline int ckvm_get_sregs(int vcpu, struct kvm_sregs *sregs) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_SREGS, sregs);
}
static inline int ckvm_set_sregs(int vcpu, const struct kvm_sregs *sregs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_SREGS, sregs);
}

// KVM_GET_SREGS2, KVM_SET_SREGS2 (KVM_CAP_SREGS2): the same with the PAE page directory pointers.
static inline int ckvm_get_sregs2(int vcpu, struct kvm_sregs2 *sregs) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_SREGS2, sregs);
}
static inline int ckvm_set_sregs2(int vcpu, const struct kvm_sregs2 *sregs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_SREGS2, sregs);
}

// KVM_GET_FPU, KVM_SET_FPU: x87 and SSE registers.
static inline int ckvm_get_fpu(int vcpu, struct kvm_fpu *fpu) { return ckvm_ioctl_pointer(vcpu, KVM_GET_FPU, fpu); }
static inline int ckvm_set_fpu(int vcpu, const struct kvm_fpu *fpu) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_FPU, fpu);
}

// KVM_SET_MSRS: the count written, which stops before the first that KVM refuses. KVM_GET_MSRS is in ckvm_system.h.
static inline int ckvm_set_msrs(int vcpu, const struct kvm_msrs *msrs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_MSRS, msrs);
}

// KVM_GET_CPUID2. in: nent, the room; out: nent. E2BIG: nent says how many there are.
static inline int ckvm_get_cpuid2(int vcpu, struct kvm_cpuid2 *cpuid) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_CPUID2, cpuid);
}

// KVM_SET_CPUID2. EINVAL: a change after KVM_RUN, or an entry KVM refuses. E2BIG: too many entries.
static inline int ckvm_set_cpuid2(int vcpu, const struct kvm_cpuid2 *cpuid) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_CPUID2, cpuid);
}

// KVM_X86_SETUP_MCE: MCG_CAP. EINVAL: more banks than KVM has, or a capability that it lacks.
static inline int ckvm_setup_mce(int vcpu, uint64_t mcg_cap) {
  return ckvm_ioctl_pointer(vcpu, KVM_X86_SETUP_MCE, &mcg_cap);
}

// KVM_GET_XSAVE: 4096 bytes. KVM_GET_XSAVE2, KVM_SET_XSAVE: as many as KVM_CAP_XSAVE2 answers on the VM.
static inline int ckvm_get_xsave(int vcpu, void *area) { return ckvm_ioctl_pointer(vcpu, KVM_GET_XSAVE, area); }
static inline int ckvm_get_xsave2(int vcpu, void *area) { return ckvm_ioctl_pointer(vcpu, KVM_GET_XSAVE2, area); }
static inline int ckvm_set_xsave(int vcpu, const void *area) { return ckvm_ioctl_pointer(vcpu, KVM_SET_XSAVE, area); }

// KVM_GET_XCRS, KVM_SET_XCRS: the extended control registers.
static inline int ckvm_get_xcrs(int vcpu, struct kvm_xcrs *xcrs) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_XCRS, xcrs);
}
static inline int ckvm_set_xcrs(int vcpu, const struct kvm_xcrs *xcrs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_XCRS, xcrs);
}

// One of the KVM_MAX_XCRS registers; all zero past the last.
static inline struct kvm_xcr ckvm_xcrs_entry(const struct kvm_xcrs *xcrs, uint32_t index) {
  return index < KVM_MAX_XCRS ? xcrs->xcrs[index] : (struct kvm_xcr){0};
}
static inline void ckvm_xcrs_set_entry(struct kvm_xcrs *xcrs, uint32_t index, uint32_t number, uint64_t value) {
  if (index < KVM_MAX_XCRS) xcrs->xcrs[index] = (struct kvm_xcr){.xcr = number, .value = value};
}

// KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS: DR0 to DR3, DR6, DR7. EINVAL: a reserved bit.
static inline int ckvm_get_debugregs(int vcpu, struct kvm_debugregs *regs) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_DEBUGREGS, regs);
}
static inline int ckvm_set_debugregs(int vcpu, const struct kvm_debugregs *regs) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_DEBUGREGS, regs);
}

// KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS: pending and injected exceptions, interrupts, NMIs, SMIs and shadows.
static inline int ckvm_get_vcpu_events(int vcpu, struct kvm_vcpu_events *events) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_VCPU_EVENTS, events);
}
static inline int ckvm_set_vcpu_events(int vcpu, const struct kvm_vcpu_events *events) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_VCPU_EVENTS, events);
}

// KVM_GET_NESTED_STATE. in: size, the room; out: size. E2BIG: size says how much. EINVAL: no nested virtualization.
static inline int ckvm_get_nested_state(int vcpu, struct kvm_nested_state *state) {
  return ckvm_ioctl_pointer(vcpu, KVM_GET_NESTED_STATE, state);
}

// KVM_SET_NESTED_STATE. EINVAL: not a state of this host.
static inline int ckvm_set_nested_state(int vcpu, const struct kvm_nested_state *state) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_NESTED_STATE, state);
}

#pragma clang assume_nonnull end
