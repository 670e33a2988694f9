// Memory slots and their dirty logs.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_SET_USER_MEMORY_REGION: KVM uses the range until the slot is set again or the VM ends; size 0 deletes the slot.
// EINVAL: unaligned, unknown flags, or a change that only deletion allows. EEXIST: overlaps another slot.
static inline int ckvm_set_user_memory_region(
    int vm, uint32_t slot, uint32_t flags, uint64_t guest_address, uint64_t size, void *_Nullable memory) {
  struct kvm_userspace_memory_region region = {
      .slot = slot,
      .flags = flags,
      .guest_phys_addr = guest_address,
      .memory_size = size,
      .userspace_addr = (uint64_t)(uintptr_t)memory,
  };
  return ckvm_ioctl_pointer(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

// KVM_GET_DIRTY_LOG: one bit a page of the slot, rounded up to 64. ENOENT: the slot has no dirty log.
static inline int ckvm_get_dirty_log(int vm, uint32_t slot, uint64_t *bitmap) {
  struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = bitmap};
  return ckvm_ioctl_pointer(vm, KVM_GET_DIRTY_LOG, &log);
}

// KVM_CLEAR_DIRTY_LOG (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2). EINVAL: first_page or page_count is no multiple of 64.
static inline int ckvm_clear_dirty_log(
    int vm, uint32_t slot, uint64_t first_page, uint32_t page_count, uint64_t *bitmap) {
  struct kvm_clear_dirty_log log = {
      .slot = slot, .num_pages = page_count, .first_page = first_page, .dirty_bitmap = bitmap};
  return ckvm_ioctl_pointer(vm, KVM_CLEAR_DIRTY_LOG, &log);
}

#pragma clang assume_nonnull end
