/// A guest that knows nothing of Lapwing: a Multiboot image that prints a line and writes 0 to QEMU's debug exit.
.section .multiboot, "a"
.long 0x1badb002 // magic, no flags, checksum
.long 0
.long -0x1badb002

.text
.globl start
start:
  movl $text, %esi
  movl $(text_end - text), %ecx
  movw $0x3f8, %dx
  rep outsb
  xorl %eax, %eax
  movw $0xf4, %dx
  outl %eax, %dx
1: hlt
  jmp 1b

.section .rodata
text: .ascii "Hello from a Multiboot image.\n"
text_end:
