// What a guest does that runs on any PC with two processors and local APICs in xAPIC mode; boot.S brings it there.
//
// The bootstrap processor takes 400 ticks of its periodic timer and sends for each an IPI to the other one, which counts it; no
// IPI is sent before the last one was counted, so that none is lost by falling together with another. The PIT ticks beside it,
// through pin 0 or 2 of the IOAPIC. In the end all counts must be right and the PIT must still tick: debug exit 0, otherwise 1.
.set TOTAL, 400
.set APIC, 0xfee00000
.set IOAPIC, 0xfec00000

.code64
.text
.globl start64, other64
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

.balign 8
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
