/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A CPU's first page: copied by hw/smp.c to a page below 1 MiB, where a start-up IPI begins in
 * real mode. It runs at that page, not where it is linked: all addresses are distances from
 * trampoline_start. The struct at trampoline_params (hw/smp.c knows its shape) is filled in after
 * copying.
 */
#define AT(symbol) (symbol - trampoline_start)

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xC0000080

	.section .rodata, "a"
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_params
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	xorl %ebx, %ebx
	movw %ax, %bx
	shll $4, %ebx
	lgdtl AT(gdtr)
	movl %cr0, %eax
	orl $CR0_PE, %eax
	andl $0x9FFFFFFF, %eax
	movl %eax, %cr0
	ljmpl *AT(vector32)

	.code32
protected_mode:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl AT(cr3)(%ebx), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl AT(efer)(%ebx), %eax
	xorl %edx, %edx
	wrmsr
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP), %eax
	movl %eax, %cr0
	ljmpl *AT(vector64)(%ebx)

	.code64
long_mode:
	movq AT(entry)(%rbx), %rax
	jmp *%rax

	.balign 8
gdt:
	.quad 0
	.quad 0x00AF9B000000FFFF
	.quad 0x00CF93000000FFFF
	.quad 0x00CF9B000000FFFF

	.balign 8
trampoline_params:
gdtr:	.short 4 * 8 - 1
	.long AT(gdt) /* + page */
	.short 0
vector32:
	.long AT(protected_mode) /* + page */
	.short 0x18
	.short 0
vector64:
	.long AT(long_mode) /* + page */
	.short 0x08
	.short 0
cr3:	.long 0
efer:	.long 0
entry:	.quad 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
