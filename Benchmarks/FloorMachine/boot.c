// What a guest finds in memory, and the registers that it starts with.
#include "boot.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "failure.h"
#include "layout.h"

// 64-bit code, data, 32-bit code: flat, ring 0, present, accessed (SDM volume 3A, section 3.4.5).
static const uint64_t descriptors[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff};

// Identity-maps 4 GiB; from 3 GiB on, where the interrupt controllers are, uncached.
static void write_page_tables(unsigned char *memory) {
  enum { TABLE = 0x03, LARGE = 0x83, UNCACHED = 0x10 };
  const uint64_t large_size = UINT64_C(2) << 20, first_uncached = UINT64_C(3) << 30;
  uint64_t *root = (uint64_t *)(memory + PAGE_TABLES);
  uint64_t *pointers = root + 512, *directories = pointers + 512;
  root[0] = (PAGE_TABLES + PAGE_SIZE) | TABLE;
  for (uint64_t index = 0; index < 4; index++) pointers[index] = (PAGE_TABLES + (index + 2) * PAGE_SIZE) | TABLE;
  for (uint64_t index = 0; index < 4 * 512; index++) {
    uint64_t address = index * large_size;
    directories[index] = address | LARGE | (address >= first_uncached ? UNCACHED : 0);
  }
}

static int write_boot_page(floor_machine *machine, floor_error *error) {
  const char *arguments = machine->configuration.arguments ? machine->configuration.arguments : "";
  size_t length = strlen(arguments);
  if (length >= LAPWING_ARGUMENT_LIMIT) return failed(error, "the guest's arguments are too long", INTERNAL);
  uint32_t khz;
  if (floor_machine_tsc_khz(machine, &khz, error) < 0) return -1;
  for (uint32_t index = 0; index < machine->configuration.vcpus; index++)
    ((uint32_t *)(machine->memory + APIC_IDS))[index] = index;
  lapwing_boot_page *page = (lapwing_boot_page *)(machine->memory + BOOT_PAGE);
  *page = (lapwing_boot_page){
      .magic = LAPWING_BOOT_MAGIC,
      .version = LAPWING_BOOT_VERSION,
      .apic_mode = machine->configuration.xapic ? LAPWING_APIC_XAPIC : LAPWING_APIC_X2APIC,
      .irqchip = LAPWING_IRQCHIP_KERNEL,
      .start = LAPWING_START_SIPI,
      .vcpu_count = machine->configuration.vcpus,
      .memory_size = MEMORY_SIZE,
      .tsc_khz = khz,
      .apic_cycle_ns = 1,
      .apic_ids = APIC_IDS,
      .processor_area = PROCESSOR_AREA,
      .processor_stride = PROCESSOR_STRIDE,
      .requests = REQUESTS,
      .log = LOG,
      .log_capacity = LOG_CAPACITY,
      .argument_length = length,
  };
  memcpy(page->arguments, arguments, length);
  return 0;
}

static struct kvm_segment flat(uint16_t selector, uint8_t type, int is_long) {
  return (struct kvm_segment){
      .limit = 0xffffffff, .selector = selector, .type = type, .present = 1, .s = 1, .g = 1, .l = is_long, .db = !is_long};
}

static void set_segments(struct kvm_sregs *special, struct kvm_segment code) {
  struct kvm_segment data = flat(0x10, 0x3, 0);
  special->cs = code;
  special->ds = special->es = special->fs = special->gs = special->ss = data;
  special->gdt.base = DESCRIPTORS;
  special->gdt.limit = sizeof descriptors - 1;
}

static int set_registers(
    floor_machine *machine, const struct kvm_sregs *special, const struct kvm_regs *registers, floor_error *error) {
  if (ioctl(machine->vcpus[0].descriptor, KVM_SET_SREGS, special) < 0) return call_failed(error, "KVM_SET_SREGS", INTERNAL);
  if (ioctl(machine->vcpus[0].descriptor, KVM_SET_REGS, registers) < 0) return call_failed(error, "KVM_SET_REGS", INTERNAL);
  return 0;
}

int enter_long_mode(floor_machine *machine, uint64_t entry, floor_error *error) {
  enum { PE = 1, ET = 1 << 4, PAE = 1 << 5, LME = 1 << 8, LMA = 1 << 10 };
  const uint64_t PG = UINT64_C(1) << 31;
  memcpy(machine->memory + DESCRIPTORS, descriptors, sizeof descriptors);
  write_page_tables(machine->memory);
  if (write_boot_page(machine, error) < 0) return -1;

  struct kvm_sregs special;
  if (ioctl(machine->vcpus[0].descriptor, KVM_GET_SREGS, &special) < 0) return call_failed(error, "KVM_GET_SREGS", INTERNAL);
  special.cr0 = PE | ET | PG;
  special.cr3 = PAGE_TABLES;
  special.cr4 = PAE;
  special.efer = LME | LMA;
  set_segments(&special, flat(0x08, 0xb, 1));
  struct kvm_regs registers = {
      .rip = entry, .rdi = BOOT_PAGE, .rsi = 0, .rsp = PROCESSOR_AREA + PROCESSOR_STRIDE, .rflags = 2};
  return set_registers(machine, &special, &registers, error);
}

int enter_multiboot(floor_machine *machine, uint32_t entry, floor_error *error) {
  enum { PE = 1, ET = 1 << 4, LOADER_MAGIC = 0x2badb002, HAS_MEMORY = 1 };
  memcpy(machine->memory + DESCRIPTORS, descriptors, sizeof descriptors);
  // Flags, then KiB of memory below 640 KiB and from 1 MiB (Multiboot specification 0.6.96, section 3.3).
  uint32_t information[] = {HAS_MEMORY, 640, (MEMORY_SIZE - (1 << 20)) >> 10};
  memcpy(machine->memory + MULTIBOOT_INFORMATION, information, sizeof information);

  struct kvm_sregs special;
  if (ioctl(machine->vcpus[0].descriptor, KVM_GET_SREGS, &special) < 0) return call_failed(error, "KVM_GET_SREGS", INTERNAL);
  special.cr0 = PE | ET;
  set_segments(&special, flat(0x18, 0xb, 0));
  struct kvm_regs registers = {.rip = entry, .rax = LOADER_MAGIC, .rbx = MULTIBOOT_INFORMATION, .rflags = 2};
  return set_registers(machine, &special, &registers, error);
}

int enter_real_mode(floor_machine *machine, uint16_t entry, floor_error *error) {
  struct kvm_sregs special;
  if (ioctl(machine->vcpus[0].descriptor, KVM_GET_SREGS, &special) < 0) return call_failed(error, "KVM_GET_SREGS", INTERNAL);
  special.cs.base = 0;
  special.cs.selector = 0;
  struct kvm_regs registers = {.rip = entry, .rflags = 2};
  return set_registers(machine, &special, &registers, error);
}
