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

// GS points to the processor's area, whose offsets GuestContract.h has.
#define GUEST_TEXT_(x) #x
#define GUEST_TEXT(x) GUEST_TEXT_(x)

GUEST_INLINE uint32_t processor_index(void) {
  uint32_t index;
  __asm__ volatile("movl %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_INDEX) ", %0" : "=r"(index));
  return index;
}
// One instruction, so that a nested interrupt cannot come in between; only its own processor writes a count.
GUEST_INLINE void processor_count_interrupt(uint64_t vector) {
  __asm__ volatile("incl %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_COUNTS) "(, %0, 4)" : : "r"(vector) : "memory", "cc");
}
GUEST_INLINE uint32_t processor_interrupts(uint64_t area, uint8_t vector) {
  // Acquires: whoever has seen a count finds the record that was written before it.
  return __atomic_load_n((const uint32_t *)(area + LAPWING_PROCESSOR_COUNTS) + vector, __ATOMIC_ACQUIRE);
}

// Instructions that may fault: an exception inside continues behind them, and its vector plus one is the fault.
#define GUEST_RECOVERABLE(instruction)                                            \
  "leaq 1f(%%rip), %%r8\n movq %%r8, %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_RECOVERY) \
  "\n" instruction "\n1: movq $0, %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_RECOVERY)

GUEST_INLINE uint32_t processor_take_fault(void) {
  uint32_t fault = 0;
  __asm__ volatile("xchgl %0, %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_FAULT) : "+r"(fault) : : "memory");
  return fault;
}
// Leads an exception to the end of the recoverable instruction it came from; 0 where it came from elsewhere.
GUEST_INLINE int processor_recover(struct guest_trap_frame *_Nonnull frame) {
  uint64_t recovery;
  __asm__ volatile("movq %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_RECOVERY) ", %0" : "=r"(recovery) : : "memory");
  if (recovery == 0) return 0;
  uint32_t fault = (uint32_t)frame->vector + 1;
  __asm__ volatile("movl %0, %%gs:" GUEST_TEXT(LAPWING_PROCESSOR_FAULT) : : "r"(fault) : "memory");
  frame->rip = recovery;
  return 1;
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
GUEST_INLINE void port_write16(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
GUEST_INLINE uint16_t port_read16(uint16_t port) {
  uint16_t value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
GUEST_INLINE uint32_t port_read32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
// One instruction for a whole text, which most hosts see as one exit.
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

GUEST_INLINE uint16_t mmio_read16(uint64_t address) {
  uint16_t value;
  __asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(address) : "memory");
  return value;
}
GUEST_INLINE void mmio_write16(uint64_t address, uint16_t value) {
  __asm__ volatile("movw %0, (%1)" : : "r"(value), "r"(address) : "memory");
}
GUEST_INLINE uint8_t mmio_read8(uint64_t address) {
  uint8_t value;
  __asm__ volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
  return value;
}
GUEST_INLINE void mmio_write8(uint64_t address, uint8_t value) {
  __asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
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

GUEST_INLINE uint64_t msr_read_recoverably(uint32_t index) {
  uint32_t low = 0, high = 0;
  __asm__ volatile(GUEST_RECOVERABLE("rdmsr") : "+a"(low), "+d"(high) : "c"(index) : "memory", "r8");
  return (uint64_t)high << 32 | low;
}
GUEST_INLINE void msr_write_recoverably(uint32_t index, uint64_t value) {
  __asm__ volatile(GUEST_RECOVERABLE("wrmsr")
                   :
                   : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(index)
                   : "memory", "r8");
}
GUEST_INLINE void cr8_write_recoverably(uint64_t value) {
  __asm__ volatile(GUEST_RECOVERABLE("movq %0, %%cr8") : : "r"(value) : "memory", "r8");
}
GUEST_INLINE uint64_t hypercall_recoverably(int vmmcall, uint64_t number, uint64_t first, uint64_t second, uint64_t third,
                                            uint64_t fourth) {
  uint64_t result = number;
  if (vmmcall)
    __asm__ volatile(GUEST_RECOVERABLE("vmmcall")
                     : "+a"(result)
                     : "b"(first), "c"(second), "d"(third), "S"(fourth)
                     : "memory", "r8");
  else
    __asm__ volatile(GUEST_RECOVERABLE("vmcall")
                     : "+a"(result)
                     : "b"(first), "c"(second), "d"(third), "S"(fourth)
                     : "memory", "r8");
  return result;
}
GUEST_INLINE void cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t *_Nonnull registers) {
  __asm__ volatile("cpuid"
                   : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]), "=d"(registers[3])
                   : "a"(leaf), "c"(subleaf));
}
// Interrupts come on after the instruction behind STI, or behind the MOV SS that follows it: the first RDTSC runs in
// the shadow, the second after what waited (SDM volume 2B, STI; volume 3A, section 7.8.3).
GUEST_INLINE void shadow_measure(int mov_ss, uint64_t *_Nonnull times) {
  uint32_t low, high, low2, high2, ss = 0x10;
  if (mov_ss)
    __asm__ volatile("sti\n movl %4, %%ss\n rdtsc\n movl %%eax, %0\n movl %%edx, %1\n rdtsc\n"
                     : "=&r"(low), "=&r"(high), "=&a"(low2), "=&d"(high2)
                     : "r"(ss)
                     : "memory");
  else
    __asm__ volatile("sti\n rdtsc\n movl %%eax, %0\n movl %%edx, %1\n rdtsc\n"
                     : "=&r"(low), "=&r"(high), "=&a"(low2), "=&d"(high2)
                     :
                     : "memory");
  times[0] = (uint64_t)high << 32 | low;
  times[1] = (uint64_t)high2 << 32 | low2;
}
GUEST_INLINE uint64_t flags_read(void) {
  uint64_t flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
  return flags;
}

// The time at which the handler that only writes it down (Entry.S) last began; 0 after it was cleared.
extern volatile uint64_t guest_stamp_time;
void guest_stamp(void);
GUEST_INLINE uint64_t stamp_read(void) { return guest_stamp_time; }
GUEST_INLINE void stamp_clear(void) { guest_stamp_time = 0; }
// Lets the gate of a vector lead to that handler, past the code that serves all others (SDM volume 3A, section 7.14.1).
GUEST_INLINE void stamp_install(uint8_t vector) {
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } table;
  __asm__ volatile("sidt %0" : "=m"(table));
  volatile uint64_t *gate = (volatile uint64_t *)(table.base + 16 * (uint64_t)vector);
  uint64_t handler = (uint64_t)&guest_stamp;
  gate[0] = (handler & 0xffff) | (gate[0] & UINT64_C(0x0000ffffffff0000)) | (handler >> 16 & 0xffff) << 48;
}
// No instruction that comes before is still at work when the TSC is read (SDM volume 2B, RDTSC).
GUEST_INLINE uint64_t tsc_read_in_order(void) {
  uint32_t low, high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (uint64_t)high << 32 | low;
}

// What every guest defines.
void guest_main(void);
