// vCPU ioctls that run it, interrupt it or watch it. KVM serialises them per vCPU: one waits while KVM_RUN is in progress.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_RUN: enters the guest. EINTR: a signal or immediate_exit. EAGAIN: the vCPU awaits INIT or SIPI.
static inline int ckvm_run(int vcpu) { return ckvm_ioctl_value(vcpu, KVM_RUN, 0); }

// KVM_GET_MP_STATE.
static inline int ckvm_get_mp_state(int vcpu, uint32_t *state) {
  struct kvm_mp_state answer = {0};
  int result = ckvm_ioctl_pointer(vcpu, KVM_GET_MP_STATE, &answer);
  if (result >= 0) *state = answer.mp_state;
  return result;
}

// KVM_SET_MP_STATE. EINVAL: not an x86 state, or one that needs an in-kernel local APIC.
static inline int ckvm_set_mp_state(int vcpu, uint32_t state) {
  struct kvm_mp_state request = {.mp_state = state};
  return ckvm_ioctl_pointer(vcpu, KVM_SET_MP_STATE, &request);
}

// KVM_INTERRUPT: queues an external interrupt. ENXIO: an in-kernel PIC does that. EEXIST: one is queued.
static inline int ckvm_interrupt(int vcpu, uint32_t vector) {
  struct kvm_interrupt request = {.irq = vector};
  return ckvm_ioctl_pointer(vcpu, KVM_INTERRUPT, &request);
}

// KVM_NMI: queues a non-maskable interrupt.
static inline int ckvm_nmi(int vcpu) { return ckvm_ioctl_value(vcpu, KVM_NMI, 0); }

// KVM_SMI: queues a system management interrupt (KVM_CAP_X86_SMM).
static inline int ckvm_smi(int vcpu) { return ckvm_ioctl_value(vcpu, KVM_SMI, 0); }

// KVM_GET_LAPIC into the 256 32-bit words of the register page. EINVAL: no in-kernel local APIC.
static inline int ckvm_get_lapic(int vcpu, uint32_t *words) { return ckvm_ioctl_pointer(vcpu, KVM_GET_LAPIC, words); }

// KVM_SET_LAPIC from the 256 32-bit words of the register page. EINVAL: no in-kernel local APIC, or a wrong ID register.
static inline int ckvm_set_lapic(int vcpu, const uint32_t *words) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_LAPIC, words);
}

// KVM_SET_VAPIC_ADDR: the guest-physical address of the paravirtual TPR page, 0 for none. EINVAL: no in-kernel APIC.
static inline int ckvm_set_vapic_addr(int vcpu, uint64_t address) {
  struct kvm_vapic_addr request = {.vapic_addr = address};
  return ckvm_ioctl_pointer(vcpu, KVM_SET_VAPIC_ADDR, &request);
}

// KVM_TPR_ACCESS_REPORTING: whether TPR accesses end in KVM_EXIT_TPR_ACCESS.
static inline int ckvm_tpr_access_reporting(int vcpu, uint32_t enabled) {
  struct kvm_tpr_access_ctl request = {.enabled = enabled};
  return ckvm_ioctl_pointer(vcpu, KVM_TPR_ACCESS_REPORTING, &request);
}

// KVM_SET_GUEST_DEBUG. EBUSY: an exception is pending. EINVAL: unknown bits of control.
static inline int ckvm_set_guest_debug(int vcpu, const struct kvm_guest_debug *debug) {
  return ckvm_ioctl_pointer(vcpu, KVM_SET_GUEST_DEBUG, debug);
}

// KVM_SET_SIGNAL_MASK: what the thread blocks during KVM_RUN, as the kernel's 64-bit signal set.
static inline int ckvm_set_signal_mask(int vcpu, uint64_t signals) {
  union {
    struct kvm_signal_mask mask;
    uint8_t bytes[sizeof(struct kvm_signal_mask) + sizeof signals];
  } request = {.mask.len = sizeof signals};
  __builtin_memcpy(request.bytes + sizeof(struct kvm_signal_mask), &signals, sizeof signals);
  return ckvm_ioctl_pointer(vcpu, KVM_SET_SIGNAL_MASK, &request);
}

// KVM_SET_SIGNAL_MASK with no mask: KVM_RUN keeps the thread's own.
static inline int ckvm_clear_signal_mask(int vcpu) { return ckvm_ioctl_pointer(vcpu, KVM_SET_SIGNAL_MASK, NULL); }

// KVM_KVMCLOCK_CTRL: tells the guest that it was paused. EINVAL: the guest has no kvmclock running.
static inline int ckvm_kvmclock_ctrl(int vcpu) { return ckvm_ioctl_value(vcpu, KVM_KVMCLOCK_CTRL, 0); }

// KVM_TRANSLATE: walks the guest's page tables for linear_address.
static inline int ckvm_translate(int vcpu, struct kvm_translation *translation) {
  return ckvm_ioctl_pointer(vcpu, KVM_TRANSLATE, translation);
}

// KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR on a vCPU with KVM_VCPU_TSC_OFFSET: what the guest's TSC is ahead of the host's.
// ENXIO: the kernel has no such attribute.
static inline int ckvm_get_tsc_offset(int vcpu, uint64_t *offset) {
  struct kvm_device_attr attribute = {
      .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)(uintptr_t)offset};
  return ckvm_ioctl_pointer(vcpu, KVM_GET_DEVICE_ATTR, &attribute);
}
static inline int ckvm_set_tsc_offset(int vcpu, uint64_t offset) {
  struct kvm_device_attr attribute = {
      .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)(uintptr_t)&offset};
  return ckvm_ioctl_pointer(vcpu, KVM_SET_DEVICE_ATTR, &attribute);
}

// The TSC of the processor that runs this (RDTSC; SDM volume 2B).
static inline uint64_t ckvm_read_tsc(void) { return __builtin_ia32_rdtsc(); }

#pragma clang assume_nonnull end
