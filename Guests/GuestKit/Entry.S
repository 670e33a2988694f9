// Where a guest begins: the bootstrap processor in long mode, the application processors in real mode after a STARTUP
// IPI, and every interrupt through one of 256 gates.
//
// On hosts that emulate ring 0 an instruction costs about two microseconds, so what can be laid out by the assembler
// (the IDT, the GDT) is, and an interrupt saves no more registers than the C calling convention asks for.
#include "GuestContract.h"

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10
#define VECTORS 0x100000 /* guest.ld puts the gates' code here */

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define EFER_LME 0x100
#define CR0_PE_PG 0x80000001
#define CR4_PAE 0x20

// Application processors, in real mode with CS = 0x0800 and IP = 0.
.section .trampoline, "awx"
.globl guest_boot_page
.code16
trampoline:
  cli
  movw %cs, %ax
  movw %ax, %ds
  lgdtl (trampoline_gdt_register - trampoline)
  movl $CR4_PAE, %eax
  movl %eax, %cr4
  movl (trampoline_page_tables - trampoline), %eax
  movl %eax, %cr3
  movl $MSR_EFER, %ecx
  movl $EFER_LME, %eax
  xorl %edx, %edx
  wrmsr
  movl $CR0_PE_PG, %eax
  movl %eax, %cr0
  ljmpl $CODE_SELECTOR, $trampoline_long
.balign 8
trampoline_gdt_register:
  .word gdt_end - gdt - 1
  .long gdt
.balign 8
trampoline_page_tables:
  .quad 0
guest_boot_page:
  .quad 0

.code64
trampoline_long:
  movq guest_boot_page, %rdi
  // The processor's index is its place in the table of APIC ids (CPUID leaf 0Bh, EDX); nearly always that is the id.
  movl $0xb, %eax
  xorl %ecx, %ecx
  cpuid
  movq LAPWING_BOOT_APIC_IDS(%rdi), %rax
  movl LAPWING_BOOT_VCPU_COUNT(%rdi), %ecx
  movl %edx, %esi
  cmpl %ecx, %esi
  jae 1f
  cmpl %edx, (%rax, %rsi, 4)
  je enter
1: xorl %esi, %esi
2: cmpl %edx, (%rax, %rsi, 4)
  je enter
  incl %esi
  cmpl %ecx, %esi
  jb 2b
3: cli
  hlt
  jmp 3b

.section .text.entry, "ax"
.globl _start
// RDI: the boot page. RSI: the processor's index.
_start:
  rdtsc
  testl %esi, %esi
  jnz enter
  shlq $32, %rdx
  orq %rdx, %rax
  movq %rax, LAPWING_BOOT_FIRST_TSC(%rdi)
  movq %rdi, guest_boot_page
  movq %cr3, %rax
  movq %rax, trampoline_page_tables
enter:
  movq LAPWING_BOOT_PROCESSOR_STRIDE(%rdi), %r8
  movq %r8, %rbx
  imulq %rsi, %rbx
  addq LAPWING_BOOT_PROCESSOR_AREA(%rdi), %rbx
  leaq (%rbx, %r8), %rsp
  movl %esi, LAPWING_PROCESSOR_INDEX(%rbx)
  movq $0, LAPWING_PROCESSOR_RECOVERY(%rbx)
  lgdt gdt_register
  lidt idt_register
  movl $DATA_SELECTOR, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  pushq $CODE_SELECTOR
  pushq $1f
  lretq
1: movl $MSR_GS_BASE, %ecx
  movl %ebx, %eax
  movq %rbx, %rdx
  shrq $32, %rdx
  wrmsr
  xorl %ebp, %ebp
  call guest_enter
2: cli
  hlt
  jmp 2b

// The gates' code: vector n starts at VECTORS + 16 * n and leaves an error code and the vector on the stack.
.section .vectors, "ax"
.globl vectors
vectors:
.set vector, 0
.rept 256
  .balign 16
  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
  pushq $0
  .endif
  pushq $vector
  jmp interrupt
  .set vector, vector + 1
.endr
.balign 16

.section .text.interrupt, "ax"
interrupt:
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  movq %rsp, %rdi
  call guest_interrupt
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rax
  addq $16, %rsp
  iretq

// A handler that does nothing but write down when it began: what a latency is measured with. The code that it
// interrupted ends its service.
.section .text.stamp, "ax"
.globl guest_stamp
guest_stamp:
  pushq %rax
  pushq %rdx
  rdtsc
  shlq $32, %rdx
  orq %rdx, %rax
  movq %rax, guest_stamp_time
  popq %rdx
  popq %rax
  iretq
.section .bss.stamp, "aw", @nobits
.globl guest_stamp_time
.balign 64
guest_stamp_time:
  .skip 64

.section .rodata.descriptors, "a"
.balign 16
// Interrupt gates (type 0xe, present, DPL 0): SDM volume 3A, section 7.14.1.
idt:
.set vector, 0
.rept 256
  .quad ((VECTORS + 16 * vector) & 0xffff) | (CODE_SELECTOR << 16) | (0x8e00 << 32) | ((VECTORS + 16 * vector) >> 16 << 48)
  .quad 0
  .set vector, vector + 1
.endr
.balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff // 64-bit code
  .quad 0x00cf93000000ffff // data
gdt_end:
.balign 8
gdt_register:
  .word gdt_end - gdt - 1
  .quad gdt
.balign 8
idt_register:
  .word 256 * 16 - 1
  .quad idt

// What the compiler may call without being asked.
.section .text.memory, "ax"
.globl memset, memcpy, memmove
memset:
  movq %rdi, %r8
  movl %esi, %eax
  movq %rdx, %rcx
  rep stosb
  movq %r8, %rax
  ret
memmove:
  cmpq %rsi, %rdi
  jbe memcpy
  leaq (%rsi, %rdx), %rax
  cmpq %rax, %rdi
  jae memcpy
  movq %rdi, %rax
  leaq -1(%rsi, %rdx), %rsi
  leaq -1(%rdi, %rdx), %rdi
  movq %rdx, %rcx
  std
  rep movsb
  cld
  ret
memcpy:
  movq %rdi, %rax
  movq %rdx, %rcx
  rep movsb
  ret
