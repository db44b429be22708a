/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 256 ways in from an exception or interrupt, 16 bytes each, and the one way out. Builds
 * struct isr_frame (hw/exception.h) on the interrupted stack: there is no other. FS and GS are the
 * guest's and stay untouched.
 */
#define EXC_ERROR_CODE_MASK 0x60227D00

	.section .text, "ax"
	.balign 16
	.globl isr_stubs
isr_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector >= 32) || !((EXC_ERROR_CODE_MASK >> (vector & 31)) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp isr_common
	.set vector, vector + 1
	.endr

isr_common:
	cld
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	cmpl $32, 15 * 8(%rsp)
	jae 1f
	call exception_handle
	jmp 2f
1:	call irq_handle
2:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
