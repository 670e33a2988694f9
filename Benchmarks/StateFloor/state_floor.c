#include "StateFloor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { max_vcpus = 64, max_msrs = 256, max_cpuid = 256, tsc_deadline = 0x6e0 };

struct vcpu {
  int fd;
  struct kvm_mp_state mp_state;
  struct kvm_regs regs;
  struct kvm_sregs2 sregs;
  struct kvm_debugregs debugregs;
  void *xsave;
  struct kvm_xcrs xcrs;
  struct kvm_cpuid2 *cpuid;
  struct kvm_msrs *msrs;
  struct kvm_msrs *deadline;
  struct kvm_lapic_state lapic;
  struct kvm_vcpu_events events;
  uint64_t tsc_offset;
  int tsc_khz;
};

struct state_floor {
  int kvm, vm;
  uint32_t count;
  struct vcpu vcpus[max_vcpus];
  struct kvm_irqchip chips[3];
  struct kvm_clock_data clock;
};

#define TRY(call, fd, request, argument)                  \
  do {                                                    \
    if (ioctl(fd, request, argument) < 0) {               \
      *what = call;                                       \
      *number = errno;                                    \
      goto failed;                                        \
    }                                                     \
  } while (0)

static struct kvm_msrs *msr_list(void) {
  return calloc(1, sizeof(struct kvm_msrs) + max_msrs * sizeof(struct kvm_msr_entry));
}

// The registers of KVM's list that this vCPU has, but for TSC_DEADLINE.
static int list_msrs(int kvm, struct vcpu *vcpu) {
  struct kvm_msr_list *list = calloc(1, sizeof *list + 1024 * sizeof(uint32_t));
  struct kvm_msrs *one = msr_list();
  list->nmsrs = 1024;
  int result = ioctl(kvm, KVM_GET_MSR_INDEX_LIST, list);
  for (uint32_t i = 0; result >= 0 && i < list->nmsrs; i++) {
    if (list->indices[i] == tsc_deadline || vcpu->msrs->nmsrs == max_msrs) continue;
    one->nmsrs = 1;
    one->entries[0].index = list->indices[i];
    if (ioctl(vcpu->fd, KVM_GET_MSRS, one) == 1) vcpu->msrs->entries[vcpu->msrs->nmsrs++].index = list->indices[i];
  }
  vcpu->deadline->nmsrs = 1;
  vcpu->deadline->entries[0].index = tsc_deadline;
  free(one);
  free(list);
  return result;
}

state_floor *state_floor_open(uint32_t vcpus, const char **what, int *number) {
  state_floor *floor = calloc(1, sizeof *floor);
  struct kvm_cpuid2 *supported = calloc(1, sizeof *supported + max_cpuid * sizeof(struct kvm_cpuid_entry2));
  floor->vm = -1;
  floor->count = vcpus < max_vcpus ? vcpus : max_vcpus;
  *what = "open /dev/kvm";
  if ((floor->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC)) < 0) goto failed_call;
  *what = "KVM_CREATE_VM";
  if ((floor->vm = ioctl(floor->kvm, KVM_CREATE_VM, 0)) < 0) goto failed_call;
  TRY("KVM_CREATE_IRQCHIP", floor->vm, KVM_CREATE_IRQCHIP, 0);
  supported->nent = max_cpuid;
  TRY("KVM_GET_SUPPORTED_CPUID", floor->kvm, KVM_GET_SUPPORTED_CPUID, supported);
  int size = ioctl(floor->vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
  for (uint32_t i = 0; i < floor->count; i++) {
    struct vcpu *vcpu = &floor->vcpus[i];
    *what = "KVM_CREATE_VCPU";
    if ((vcpu->fd = ioctl(floor->vm, KVM_CREATE_VCPU, (unsigned long)i)) < 0) goto failed_call;
    TRY("KVM_SET_CPUID2", vcpu->fd, KVM_SET_CPUID2, supported);
    vcpu->xsave = calloc(1, size > 4096 ? (size_t)size : 4096);
    vcpu->cpuid = calloc(1, sizeof *vcpu->cpuid + max_cpuid * sizeof(struct kvm_cpuid_entry2));
    vcpu->msrs = msr_list();
    vcpu->deadline = msr_list();
    *what = "KVM_GET_MSR_INDEX_LIST";
    if (list_msrs(floor->kvm, vcpu) < 0) goto failed_call;
  }
  free(supported);
  return floor;

failed_call:
  *number = errno;
failed:
  free(supported);
  state_floor_close(floor);
  return NULL;
}

void state_floor_close(state_floor *floor) {
  for (uint32_t i = 0; i < floor->count; i++) {
    struct vcpu *vcpu = &floor->vcpus[i];
    if (vcpu->fd > 0) close(vcpu->fd);
    free(vcpu->xsave);
    free(vcpu->cpuid);
    free(vcpu->msrs);
    free(vcpu->deadline);
  }
  if (floor->vm >= 0) close(floor->vm);
  if (floor->kvm >= 0) close(floor->kvm);
  free(floor);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int state_floor_capture(state_floor *floor, uint64_t *nanoseconds, const char **what, int *number) {
  uint64_t start = now();
  for (uint32_t i = 0; i < floor->count; i++) {
    struct vcpu *vcpu = &floor->vcpus[i];
    struct kvm_device_attr offset = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)(uintptr_t)&vcpu->tsc_offset};
    TRY("KVM_GET_MP_STATE", vcpu->fd, KVM_GET_MP_STATE, &vcpu->mp_state);
    TRY("KVM_GET_REGS", vcpu->fd, KVM_GET_REGS, &vcpu->regs);
    TRY("KVM_GET_SREGS2", vcpu->fd, KVM_GET_SREGS2, &vcpu->sregs);
    TRY("KVM_GET_DEBUGREGS", vcpu->fd, KVM_GET_DEBUGREGS, &vcpu->debugregs);
    TRY("KVM_GET_XSAVE2", vcpu->fd, KVM_GET_XSAVE2, vcpu->xsave);
    TRY("KVM_GET_XCRS", vcpu->fd, KVM_GET_XCRS, &vcpu->xcrs);
    vcpu->cpuid->nent = max_cpuid;
    TRY("KVM_GET_CPUID2", vcpu->fd, KVM_GET_CPUID2, vcpu->cpuid);
    *what = "KVM_GET_TSC_KHZ";
    if ((vcpu->tsc_khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0)) < 0) goto failed_call;
    TRY("KVM_GET_DEVICE_ATTR", vcpu->fd, KVM_GET_DEVICE_ATTR, &offset);
    TRY("KVM_GET_MSRS", vcpu->fd, KVM_GET_MSRS, vcpu->msrs);
    TRY("KVM_GET_MSRS", vcpu->fd, KVM_GET_MSRS, vcpu->deadline);
    TRY("KVM_GET_LAPIC", vcpu->fd, KVM_GET_LAPIC, &vcpu->lapic);
    TRY("KVM_GET_MSRS", vcpu->fd, KVM_GET_MSRS, vcpu->deadline);
    TRY("KVM_GET_VCPU_EVENTS", vcpu->fd, KVM_GET_VCPU_EVENTS, &vcpu->events);
  }
  TRY("KVM_GET_CLOCK", floor->vm, KVM_GET_CLOCK, &floor->clock);
  for (uint32_t chip = 0; chip < 3; chip++) {
    floor->chips[chip].chip_id = chip;
    TRY("KVM_GET_IRQCHIP", floor->vm, KVM_GET_IRQCHIP, &floor->chips[chip]);
  }
  *nanoseconds = now() - start;
  return 0;

failed_call:
  *number = errno;
failed:
  return -1;
}
