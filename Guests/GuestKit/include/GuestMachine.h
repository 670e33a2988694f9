// The instructions and the memory of the bare machine that Swift has no words for.
#pragma once
#include <stdint.h>

#include "GuestContract.h"

// What the entry code leaves on the stack: the registers that a C function may change, then what the processor pushed.
struct __attribute__((swift_name("TrapFrame"))) guest_trap_frame {
  uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
  uint64_t vector;
  uint64_t error_code __attribute__((swift_name("errorCode")));
  uint64_t rip, cs, rflags, rsp, ss;
};

// What the host says about this machine. The entry code sets it before any Swift runs.
extern const lapwing_boot_page *_Nonnull const guest_boot_page;

#define GUEST_INLINE static inline __attribute__((always_inline))

// The start of a processor's area, and where GS points. The entry code writes the index.
struct guest_processor {
  volatile uint32_t index;
  uint32_t reserved[15];
  volatile uint32_t interrupts[256];
};

GUEST_INLINE uint32_t processor_index(void) {
  uint32_t index;
  __asm__ volatile("movl %%gs:0, %0" : "=r"(index));
  return index;
}
// One instruction, so that a nested interrupt cannot come in between; only its own processor writes a count.
GUEST_INLINE void processor_count_interrupt(uint64_t vector) {
  __asm__ volatile("incl %%gs:64(, %0, 4)" : : "r"(vector) : "memory", "cc");
}
GUEST_INLINE uint32_t processor_interrupts(uint64_t area, uint8_t vector) {
  return ((const struct guest_processor *)area)->interrupts[vector];
}

GUEST_INLINE void port_write8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
GUEST_INLINE void port_write32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
GUEST_INLINE uint8_t port_read8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
GUEST_INLINE uint32_t port_read32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
// One instruction for a whole text, which the host sees as one exit.
GUEST_INLINE void port_write_text(uint16_t port, const void *_Nonnull text, uint64_t length) {
  __asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(port) : "memory");
}

GUEST_INLINE uint64_t msr_read(uint32_t index) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
  return (uint64_t)high << 32 | low;
}
GUEST_INLINE void msr_write(uint32_t index, uint64_t value) {
  __asm__ volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(index) : "memory");
}
GUEST_INLINE uint64_t tsc_read(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (uint64_t)high << 32 | low;
}

GUEST_INLINE uint32_t mmio_read32(uint64_t address) {
  uint32_t value;
  __asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
  return value;
}
GUEST_INLINE void mmio_write32(uint64_t address, uint32_t value) {
  __asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

GUEST_INLINE uint64_t cr8_read(void) {
  uint64_t value;
  __asm__ volatile("movq %%cr8, %0" : "=r"(value) : : "memory");
  return value;
}
GUEST_INLINE void cr8_write(uint64_t value) {
  __asm__ volatile("movq %0, %%cr8" : : "r"(value) : "memory");
}

GUEST_INLINE void interrupts_enable(void) { __asm__ volatile("sti" : : : "memory"); }
GUEST_INLINE void interrupts_disable(void) { __asm__ volatile("cli" : : : "memory"); }
GUEST_INLINE void cpu_pause(void) { __asm__ volatile("pause" : : : "memory"); }
// STI holds interrupts off for one more instruction, so none can slip in between the two.
GUEST_INLINE void cpu_enable_and_halt(void) { __asm__ volatile("sti; hlt" : : : "memory"); }
GUEST_INLINE void cpu_disable_and_halt(void) { __asm__ volatile("cli; hlt" : : : "memory"); }

// What every guest defines.
void guest_main(void);
