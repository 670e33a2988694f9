// VM ioctls that concern the VM as a whole, and three that VM and vCPU descriptors share.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_CREATE_VCPU: a vCPU descriptor. id is its APIC ID. EEXIST: taken. EINVAL: beyond KVM_CAP_MAX_VCPU_ID.
static inline int ckvm_create_vcpu(int vm, unsigned long id) { return ckvm_ioctl_value(vm, KVM_CREATE_VCPU, id); }

// KVM_ENABLE_CAP, on a VM or a vCPU. EINVAL: unknown here, bad arguments, or too late.
static inline int ckvm_enable_cap(
    int fd, uint32_t capability, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3) {
  struct kvm_enable_cap request = {.cap = capability, .args = {arg0, arg1, arg2, arg3}};
  return ckvm_ioctl_pointer(fd, KVM_ENABLE_CAP, &request);
}

// KVM_SET_BOOT_CPU_ID: which vCPU is the bootstrap processor. EBUSY: a vCPU exists already.
static inline int ckvm_set_boot_cpu_id(int vm, unsigned long id) {
  return ckvm_ioctl_value(vm, KVM_SET_BOOT_CPU_ID, id);
}

// KVM_SET_TSS_ADDR: three pages below 4 GiB outside guest memory, which VT-x without unrestricted guest needs.
static inline int ckvm_set_tss_addr(int vm, unsigned long address) {
  return ckvm_ioctl_value(vm, KVM_SET_TSS_ADDR, address);
}

// KVM_SET_IDENTITY_MAP_ADDR: one such page (0: the default 0xfffbc000). EINVAL: a vCPU exists already.
static inline int ckvm_set_identity_map_addr(int vm, uint64_t address) {
  return ckvm_ioctl_pointer(vm, KVM_SET_IDENTITY_MAP_ADDR, &address);
}

// KVM_SET_TSC_KHZ, on a vCPU or (KVM_CAP_VM_TSC_CONTROL, before the first vCPU) a VM. EINVAL: out of range.
static inline int ckvm_set_tsc_khz(int fd, unsigned long khz) { return ckvm_ioctl_value(fd, KVM_SET_TSC_KHZ, khz); }

// KVM_GET_TSC_KHZ, on a vCPU or a VM. EIO: the host's TSC is unstable.
static inline int ckvm_get_tsc_khz(int fd) { return ckvm_ioctl_value(fd, KVM_GET_TSC_KHZ, 0); }

// KVM_GET_CLOCK: kvmclock now, with flags that say which other fields hold.
static inline int ckvm_get_clock(int vm, struct kvm_clock_data *clock) {
  return ckvm_ioctl_pointer(vm, KVM_GET_CLOCK, clock);
}

// KVM_SET_CLOCK. EINVAL: a flag other than KVM_CLOCK_REALTIME (and those KVM ignores).
static inline int ckvm_set_clock(int vm, const struct kvm_clock_data *clock) {
  return ckvm_ioctl_pointer(vm, KVM_SET_CLOCK, clock);
}

// KVM_X86_SET_MSR_FILTER: which MSR accesses leave to user space. The bitmaps are read before it returns.
static inline int ckvm_set_msr_filter(int vm, const struct kvm_msr_filter *filter) {
  return ckvm_ioctl_pointer(vm, KVM_X86_SET_MSR_FILTER, filter);
}

// Sets one of a filter's KVM_MSR_FILTER_MAX_RANGES ranges. The bitmap must outlive the KVM_X86_SET_MSR_FILTER call.
static inline void ckvm_msr_filter_set_range(
    struct kvm_msr_filter *filter, uint32_t index, uint32_t flags, uint32_t base, uint32_t count, uint8_t *bitmap) {
  if (index >= KVM_MSR_FILTER_MAX_RANGES) return;
  filter->ranges[index] =
      (struct kvm_msr_filter_range){.flags = flags, .nmsrs = count, .base = base, .bitmap = bitmap};
}

// KVM_GET_STATS_FD, on a VM or a vCPU: a descriptor of its binary statistics.
static inline int ckvm_get_stats_fd(int fd) { return ckvm_ioctl_value(fd, KVM_GET_STATS_FD, 0); }

#pragma clang assume_nonnull end
