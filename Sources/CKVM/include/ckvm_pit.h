// The in-kernel programmable interval timer (i8254).
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_CREATE_PIT2. flags: KVM_PIT_SPEAKER_DUMMY. EEXIST: there is one. ENOENT: no full in-kernel irqchip.
static inline int ckvm_create_pit2(int vm, uint32_t flags) {
  struct kvm_pit_config request = {.flags = flags};
  return ckvm_ioctl_pointer(vm, KVM_CREATE_PIT2, &request);
}

// KVM_GET_PIT2. ENXIO: no in-kernel PIT.
static inline int ckvm_get_pit2(int vm, struct kvm_pit_state2 *state) {
  return ckvm_ioctl_pointer(vm, KVM_GET_PIT2, state);
}

// KVM_SET_PIT2. ENXIO: no in-kernel PIT.
static inline int ckvm_set_pit2(int vm, const struct kvm_pit_state2 *state) {
  return ckvm_ioctl_pointer(vm, KVM_SET_PIT2, state);
}

// KVM_REINJECT_CONTROL: whether ticks that the guest missed are delivered late (1) or dropped (0). ENXIO: no PIT.
static inline int ckvm_reinject_control(int vm, uint8_t reinject) {
  struct kvm_reinject_control request = {.pit_reinject = reinject};
  return ckvm_ioctl_pointer(vm, KVM_REINJECT_CONTROL, &request);
}

#pragma clang assume_nonnull end
