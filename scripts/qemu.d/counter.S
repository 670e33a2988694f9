// A guest for any PC with two processors and local APICs in xAPIC mode: a Multiboot image with its addresses in the header,
// which goes to long mode at once.
//
// The bootstrap processor takes 400 ticks of its periodic timer and sends for each an IPI to the other one, which counts it; no
// IPI is sent before the last one was counted, so that none is lost by falling together with another. The PIT ticks beside it,
// through pin 0 or 2 of the IOAPIC. In the end all counts must be right and the PIT must still tick: debug exit 0, otherwise 1.
.set TOTAL, 400
.set APIC, 0xfee00000
.set IOAPIC, 0xfec00000

.code32
.text
header:
  .long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
  .long header, header, 0, 0, start

.globl start
start:
  cli
  movl $boot_stack, %esp
  // 4 GiB in pages of 2 MiB, from the last GiB on uncached.
  movl $(directories + 3), %eax
  movl $pointers, %edi
  movl $4, %ecx
1: movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  loop 1b
  movl $0x83, %eax
  movl $directories, %edi
2: movl %eax, (%edi)
  addl $8, %edi
  addl $0x200000, %eax
  cmpl $0xc0000083, %eax
  jne 3f
  orl $0x18, %eax
3: cmpl $(directories + 4 * 4096), %edi
  jne 2b
  movl $(pointers + 3), tables
  lgdt gdt_pointer
  call enter_long_mode
  ljmp $8, $start64

// Everything of long mode but the jump.
enter_long_mode:
  movl $0x20, %eax
  movl %eax, %cr4
  movl $tables, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx
  rdmsr
  orl $0x100, %eax
  wrmsr
  movl $0x80010011, %eax
  movl %eax, %cr0
  ret

.code64
start64:
  movl $APIC, %r8d
  movl $IOAPIC, %r9d
  xorl %eax, %eax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  // The PICs masked; three gates and the spurious one.
  movb $0xff, %al
  outb %al, $0x21
  outb %al, $0xa1
  movl $tick, %eax
  movl $0x40, %ecx
  call gate
  movl $interprocessor, %eax
  movl $0x41, %ecx
  call gate
  movl $interval, %eax
  movl $0x50, %ecx
  call gate
  movl $spurious, %eax
  movl $0xff, %ecx
  call gate
  lidt idt_pointer
  // Low memory for the other processor's first instructions.
  movl $trampoline, %esi
  movl $0x8000, %edi
  movl $(trampoline_end - trampoline), %ecx
  cld
  rep movsb
  movl $0x10000, 0x350(%r8)
  movl $0x1ff, 0xf0(%r8)
  movl $0x01000000, 0x310(%r8)
  movl $0x4500, 0x300(%r8)
  call pause_a_while
  movl $0x01000000, 0x310(%r8)
  movl $0x4608, 0x300(%r8)
1: pause
  cmpl $0, ready
  je 1b
  // Counter 0 in mode 2 with 11932, some 100 a second, to pins 0 and 2, edge-triggered, to processor 0.
  movb $0x34, %al
  outb %al, $0x43
  movb $0x9c, %al
  outb %al, $0x40
  movb $0x2e, %al
  outb %al, $0x40
  movl $0x10, %ecx
  call pin
  movl $0x14, %ecx
  call pin
  movl $3, 0x3e0(%r8)
  movl $0x20040, 0x320(%r8)
  movl $625000, 0x380(%r8)

wait_for_ticks:
  cli
  cmpl $TOTAL, ticks
  jae counted
  sti
  hlt
  jmp wait_for_ticks
counted:
  movl $0x10040, 0x320(%r8)
  movl $0, 0x380(%r8)
  movl intervals, %ebx
  addl $5, %ebx
1: cli
  cmpl %ebx, intervals
  jae 2f
  sti
  hlt
  jmp 1b
2: pause
  movl ticks, %eax
  cmpl %eax, ipis
  jb 2b
  jne lost
  cmpl $TOTAL, %eax
  jne lost
  movl $good, %esi
  movl $(good_end - good), %ecx
  xorl %eax, %eax
  jmp leave
lost:
  movl $bad, %esi
  movl $(bad_end - bad), %ecx
  movl $1, %eax
leave:
  movw $0x3f8, %dx
  rep outsb
  movw $0xf4, %dx
  outl %eax, %dx
1: hlt
  jmp 1b

// The gate of vector ECX leads to EAX.
gate:
  shll $4, %ecx
  leaq idt(%rcx), %rdi
  movw %ax, (%rdi)
  movw $8, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  shrl $16, %eax
  movw %ax, 6(%rdi)
  ret

// The redirection entry at index ECX: vector 0x50 to processor 0.
pin:
  movl %ecx, (%r9)
  movl $0x50, 0x10(%r9)
  incl %ecx
  movl %ecx, (%r9)
  movl $0, 0x10(%r9)
  ret

pause_a_while:
  movl $20000000, %ecx
  rdtsc
  movl %eax, %ebx
1: pause
  rdtsc
  subl %ebx, %eax
  cmpl %ecx, %eax
  jb 1b
  ret

tick:
  pushq %rax
  pushq %rdx
  movl ticks, %eax
1: pause
  cmpl %eax, ipis
  jb 1b
  incl ticks
  movl $0x01000000, 0x310(%r8)
  movl $0x4041, 0x300(%r8)
  incl dots
  cmpl $50, dots
  jb 2f
  movl $0, dots
  movw $0x3f8, %dx
  movb $0x2e, %al
  outb %al, %dx
2: movl $0, 0xb0(%r8)
  popq %rdx
  popq %rax
  iretq

interprocessor:
  lock incl ipis
  movl $0, 0xb0(%r8)
  iretq

interval:
  lock incl intervals
  movl $0, 0xb0(%r8)
  iretq

spurious: iretq

other64:
  movl $APIC, %r8d
  xorl %eax, %eax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  lidt idt_pointer
  movl $0x10000, 0x350(%r8)
  movl $0x1ff, 0xf0(%r8)
  movl $1, ready
1: sti
  hlt
  jmp 1b

.code32
other:
  movw $24, %ax
  movw %ax, %ds
  movw %ax, %ss
  movl $other_stack, %esp
  call enter_long_mode
  ljmp $8, $other64

.code16
trampoline:
  cli
  xorw %ax, %ax
  movw %ax, %ds
  lgdtl 0x8000 + (trampoline_pointer - trampoline)
  movl %cr0, %eax
  orb $1, %al
  movl %eax, %cr0
  ljmpl $16, $other
trampoline_pointer:
  .word 31
  .long gdt
trampoline_end:

.balign 8
// Code of 64 bits, code of 32 bits, data.
gdt: .quad 0, 0x00af9a000000ffff, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
  .word 31
  .quad gdt
idt_pointer:
  .word 0xfff
  .quad idt
good: .ascii " every tick and every IPI was counted\n"
good_end:
bad: .ascii " ticks or IPIs were lost\n"
bad_end:
.balign 8
ticks: .long 0
ipis: .long 0
intervals: .long 0
dots: .long 0
ready: .long 0
.balign 16
idt: .skip 4096
.skip 1024
boot_stack: .skip 1024
other_stack:
.balign 4096
tables: .skip 4096
pointers: .skip 4096
directories: .skip 4 * 4096
