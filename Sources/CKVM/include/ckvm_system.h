// The system ioctls, on the descriptor of /dev/kvm.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_GET_API_VERSION: 12.
static inline int ckvm_get_api_version(int kvm) { return ckvm_ioctl_value(kvm, KVM_GET_API_VERSION, 0); }

// KVM_CREATE_VM: a VM descriptor. type: KVM_X86_DEFAULT_VM or another bit of KVM_CAP_VM_TYPES. EINVAL: unknown type.
static inline int ckvm_create_vm(int kvm, unsigned long type) { return ckvm_ioctl_value(kvm, KVM_CREATE_VM, type); }

// KVM_CHECK_EXTENSION, on /dev/kvm or (with KVM_CAP_CHECK_EXTENSION_VM) on a VM: 0 when absent.
static inline int ckvm_check_extension(int fd, uint32_t capability) {
  return ckvm_ioctl_value(fd, KVM_CHECK_EXTENSION, capability);
}

// KVM_GET_VCPU_MMAP_SIZE: how many bytes of a vCPU descriptor to map.
static inline int ckvm_get_vcpu_mmap_size(int kvm) { return ckvm_ioctl_value(kvm, KVM_GET_VCPU_MMAP_SIZE, 0); }

// KVM_GET_SUPPORTED_CPUID. in: nent, the room; out: nent, the entries. E2BIG: too little room.
static inline int ckvm_get_supported_cpuid(int kvm, struct kvm_cpuid2 *cpuid) {
  return ckvm_ioctl_pointer(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
}

// KVM_GET_EMULATED_CPUID: what KVM can emulate but does not offer by default. As KVM_GET_SUPPORTED_CPUID.
static inline int ckvm_get_emulated_cpuid(int kvm, struct kvm_cpuid2 *cpuid) {
  return ckvm_ioctl_pointer(kvm, KVM_GET_EMULATED_CPUID, cpuid);
}

// KVM_GET_SUPPORTED_HV_CPUID, on /dev/kvm (KVM_CAP_SYS_HYPERV_CPUID): Hyper-V's leaves. As KVM_GET_SUPPORTED_CPUID.
static inline int ckvm_get_supported_hv_cpuid(int kvm, struct kvm_cpuid2 *cpuid) {
  return ckvm_ioctl_pointer(kvm, KVM_GET_SUPPORTED_HV_CPUID, cpuid);
}

// KVM_GET_MSR_INDEX_LIST: the MSRs that KVM_GET_MSRS knows. in: nmsrs, the room; out: nmsrs. E2BIG: nmsrs says how many.
static inline int ckvm_get_msr_index_list(int kvm, struct kvm_msr_list *list) {
  return ckvm_ioctl_pointer(kvm, KVM_GET_MSR_INDEX_LIST, list);
}

// KVM_GET_MSR_FEATURE_INDEX_LIST: the MSRs that describe the host's features. As KVM_GET_MSR_INDEX_LIST.
static inline int ckvm_get_msr_feature_index_list(int kvm, struct kvm_msr_list *list) {
  return ckvm_ioctl_pointer(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, list);
}

// KVM_GET_MSRS, on /dev/kvm (feature MSRs) or a vCPU: the count read, which stops before the first that KVM refuses.
static inline int ckvm_get_msrs(int fd, struct kvm_msrs *msrs) { return ckvm_ioctl_pointer(fd, KVM_GET_MSRS, msrs); }

#pragma clang assume_nonnull end
