// A Multiboot image with its addresses in the header, which goes to long mode at once: `start64` is where the bootstrap
// processor goes on, `other64` where the other one does that a SIPI sends to 0x8000.

.code32
.text
header:
  .long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
  .long header, header, 0, 0, start

.globl start
start:
  cli
  movl $boot_stack, %esp
  // Low memory for the other processor's first instructions.
  movl $trampoline, %esi
  movl $0x8000, %edi
  movl $(trampoline_end - trampoline), %ecx
  cld
  rep movsb
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
.balign 16
.skip 1024
boot_stack: .skip 1024
other_stack:
.balign 4096
tables: .skip 4096
pointers: .skip 4096
directories: .skip 4 * 4096
