/* SPDX-License-Identifier: BSD-3-Clause */
/* A multiboot kernel (version 1) for -E: the header, a stack, and main with what the loader left in EAX and EBX. */
	.section .multiboot, "a"
	.balign	4
	.long	0x1badb002
	.long	2			/* wants the size of memory */
	.long	-(0x1badb002 + 2)

	.text
	.globl	_start
_start:
	mov	$stack_end, %esp
	push	%ebx
	push	%eax
	call	multiboot_main
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	4096
stack_end:
