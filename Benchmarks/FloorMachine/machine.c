// The machine: what KVM is asked for, in the order in which it wants to be asked.
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failure.h"
#include "layout.h"

// Where VT-x hosts without unrestricted guests put a page of identity map and three of TSS.
#define IDENTITY_MAP_ADDRESS UINT64_C(0xfffbc000)
#define TSS_ADDRESS 0xfffbd000UL

#define CPUID_ENTRIES 256

static int open_kvm(floor_machine *machine, floor_error *error) {
  machine->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (machine->kvm < 0) return call_failed(error, "open /dev/kvm", HOST_CANNOT);
  int version = ioctl(machine->kvm, KVM_GET_API_VERSION, 0);
  if (version < 0) return call_failed(error, "KVM_GET_API_VERSION", HOST_CANNOT);
  if (version != KVM_API_VERSION) return failed(error, "this KVM has another API version", HOST_CANNOT);
  return 0;
}

static int create_vm(floor_machine *machine, floor_error *error) {
  machine->vm = ioctl(machine->kvm, KVM_CREATE_VM, 0);
  return machine->vm < 0 ? call_failed(error, "KVM_CREATE_VM", HOST_CANNOT) : 0;
}

// After the memory: a change of slots has to wait for all readers of what an irqchip has just published.
static int create_irqchip(floor_machine *machine, floor_error *error) {
  uint64_t identity_map = IDENTITY_MAP_ADDRESS;
  if (ioctl(machine->kvm, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0 &&
      ioctl(machine->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS) < 0)
    return call_failed(error, "KVM_SET_TSS_ADDR", INTERNAL);
  if (ioctl(machine->kvm, KVM_CHECK_EXTENSION, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
      ioctl(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
    return call_failed(error, "KVM_SET_IDENTITY_MAP_ADDR", INTERNAL);
  if (ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0) < 0) return call_failed(error, "KVM_CREATE_IRQCHIP", HOST_CANNOT);
  if (machine->configuration.xapic) return 0;
  struct kvm_enable_cap x2apic = {
      .cap = KVM_CAP_X2APIC_API,
      .args = {KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK}};
  if (ioctl(machine->vm, KVM_ENABLE_CAP, &x2apic) < 0) return call_failed(error, "KVM_CAP_X2APIC_API", HOST_CANNOT);
  return 0;
}

static int map_memory(floor_machine *machine, floor_error *error) {
  void *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return call_failed(error, "mmap of guest memory", INTERNAL);
  machine->memory = memory;
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE, .userspace_addr = (uintptr_t)memory};
  if (ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return call_failed(error, "KVM_SET_USER_MEMORY_REGION", INTERNAL);
  return 0;
}

static int create_vcpu(floor_machine *machine, uint32_t id, floor_error *error) {
  floor_vcpu *vcpu = &machine->vcpus[id];
  vcpu->descriptor = ioctl(machine->vm, KVM_CREATE_VCPU, (unsigned long)id);
  if (vcpu->descriptor < 0) return call_failed(error, "KVM_CREATE_VCPU", HOST_CANNOT);
  void *run = mmap(NULL, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->descriptor, 0);
  if (run == MAP_FAILED) return call_failed(error, "mmap of the vCPU", INTERNAL);
  vcpu->run = run;
  return 0;
}

// All that KVM supports, for the vCPU with that APIC id.
static void adjust(struct kvm_cpuid_entry2 *entry, const floor_configuration *configuration, uint32_t id) {
  enum { X2APIC = 1 << 21, TSC_DEADLINE = 1 << 24, HYPER_THREADING = 1 << 28 };
  switch (entry->function) {
    case 0x1:
      entry->ebx = (entry->ebx & 0xffff) | configuration->vcpus << 16 | id << 24;
      entry->ecx |= X2APIC | TSC_DEADLINE;
      if (configuration->xapic) entry->ecx &= ~(uint32_t)X2APIC;
      entry->edx &= ~(uint32_t)HYPER_THREADING;
      if (configuration->vcpus > 1) entry->edx |= HYPER_THREADING;
      break;
    case 0xb:
    case 0x1f:
      entry->edx = id;
      break;
    case 0x8000001e:
      entry->eax = id;
      break;
  }
}

static int set_cpuid(floor_machine *machine, uint32_t id, floor_error *error) {
  struct kvm_cpuid2 *table = calloc(1, sizeof *table + CPUID_ENTRIES * sizeof table->entries[0]);
  if (!table) return call_failed(error, "calloc", INTERNAL);
  table->nent = CPUID_ENTRIES;
  int result = 0;
  if (ioctl(machine->kvm, KVM_GET_SUPPORTED_CPUID, table) < 0) {
    result = call_failed(error, "KVM_GET_SUPPORTED_CPUID", INTERNAL);
  } else {
    for (uint32_t index = 0; index < table->nent; index++)
      adjust(&table->entries[index], &machine->configuration, id);
    if (ioctl(machine->vcpus[id].descriptor, KVM_SET_CPUID2, table) < 0) result = call_failed(error, "KVM_SET_CPUID2", INTERNAL);
  }
  free(table);
  return result;
}

static int create_vcpus(floor_machine *machine, floor_error *error) {
  int size = ioctl(machine->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < 0) return call_failed(error, "KVM_GET_VCPU_MMAP_SIZE", INTERNAL);
  machine->run_size = (size_t)size;
  for (uint32_t id = 0; id < machine->configuration.vcpus; id++)
    if (create_vcpu(machine, id, error) < 0 || set_cpuid(machine, id, error) < 0) return -1;
  return 0;
}

// A machine of which nothing is there yet.
static floor_machine nothing(void) {
  floor_machine machine = {.kvm = -1, .vm = -1, .irqfd = -1, .io_event = -1};
  for (int index = 0; index < FLOOR_VCPU_LIMIT; index++) machine.vcpus[index].descriptor = -1;
  return machine;
}

int floor_machine_open(floor_machine *machine, const floor_configuration *configuration, floor_error *error) {
  *machine = nothing();
  machine->configuration = *configuration;
  if (configuration->vcpus < 1 || configuration->vcpus > FLOOR_VCPU_LIMIT)
    return failed(error, "a machine of the floor has 1 to 8 vCPUs", INTERNAL);
  if (open_kvm(machine, error) == 0 && create_vm(machine, error) == 0 && map_memory(machine, error) == 0 &&
      create_irqchip(machine, error) == 0 && create_vcpus(machine, error) == 0)
    return 0;
  floor_machine_close(machine);
  return -1;
}

// Without its memory first: the removal of a slot expedites the grace periods that the last close has to wait for.
static void close_vm(floor_machine *machine) {
  struct kvm_userspace_memory_region none = {.slot = 0, .memory_size = 0};
  if (machine->memory) ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &none);
  close(machine->vm);
}

void floor_machine_close(floor_machine *machine) {
  for (int index = 0; index < FLOOR_VCPU_LIMIT; index++) {
    floor_vcpu *vcpu = &machine->vcpus[index];
    if (vcpu->run) munmap(vcpu->run, machine->run_size);
    if (vcpu->descriptor >= 0) close(vcpu->descriptor);
  }
  if (machine->irqfd >= 0) close(machine->irqfd);
  if (machine->io_event >= 0) close(machine->io_event);
  if (machine->vm >= 0) close_vm(machine);
  if (machine->memory) munmap(machine->memory, MEMORY_SIZE);
  if (machine->kvm >= 0) close(machine->kvm);
  *machine = nothing();
}

int floor_machine_tsc_khz(const floor_machine *machine, uint32_t *khz, floor_error *error) {
  int answer = ioctl(machine->vcpus[0].descriptor, KVM_GET_TSC_KHZ, 0);
  if (answer < 0) return call_failed(error, "KVM_GET_TSC_KHZ", INTERNAL);
  *khz = (uint32_t)answer;
  return 0;
}

size_t floor_machine_values(const floor_machine *machine, uint64_t *values, size_t capacity) {
  const lapwing_log *log = (const lapwing_log *)(machine->memory + LOG);
  const lapwing_record *records = (const lapwing_record *)(log + 1);
  size_t count = 0;
  for (uint64_t index = 0; index < log->claimed && index < LOG_CAPACITY; index++) {
    if (records[index].kind != LAPWING_RECORD_VALUE) continue;
    if (count < capacity) values[count] = records[index].value;
    count++;
  }
  return count;
}
