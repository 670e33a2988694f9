// Where things lie in guest memory: downwards from its end, as in Lapwing, so that images have all of the rest.
#pragma once
#include <stdint.h>

#include "FloorMachine.h"
#include "GuestContract.h"

#define PAGE_SIZE UINT64_C(4096)
#define MEMORY_SIZE (UINT64_C(64) << 20)
#define PROCESSOR_STRIDE (UINT64_C(16) << 10)
#define LOG_CAPACITY (UINT64_C(1) << 16)
#define LOG_SIZE (sizeof(lapwing_log) + LOG_CAPACITY * sizeof(lapwing_record))

// PML4, PDPT and four page directories: 4 GiB in pages of 2 MiB.
#define PAGE_TABLES (MEMORY_SIZE - 6 * PAGE_SIZE)
#define DESCRIPTORS (PAGE_TABLES - PAGE_SIZE)
#define BOOT_PAGE (DESCRIPTORS - PAGE_SIZE)
#define APIC_IDS (BOOT_PAGE - PAGE_SIZE)
#define REQUESTS (APIC_IDS - PAGE_SIZE)
#define MULTIBOOT_INFORMATION (REQUESTS - PAGE_SIZE)
#define PROCESSOR_AREA (MULTIBOOT_INFORMATION - FLOOR_VCPU_LIMIT * PROCESSOR_STRIDE)
#define LOG ((PROCESSOR_AREA - LOG_SIZE) & ~(PAGE_SIZE - 1))
// What images may fill.
#define IMAGE_LIMIT LOG

_Static_assert(sizeof(lapwing_boot_page) <= PAGE_SIZE, "the boot page has one page");
