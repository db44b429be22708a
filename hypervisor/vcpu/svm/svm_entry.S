/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way into an SVM guest and back: general registers only, the rest is VMRUN's or lazily switched.
 * rdi: struct vcpu, whose first member is gpr[16]; rsi: physical address of the VMCB. RAX and RSP
 * travel in the VMCB. With GIF clear and IF set, a physical interrupt that is pending makes VMRUN
 * exit at once and none is ever taken here (APM 2 15.5, 15.17).
 */
	.text
	.globl svm_enter
	.type svm_enter, @function
svm_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	clgi
	sti
	mov %rsi, %rax
	mov 0x08(%rdi), %rcx
	mov 0x10(%rdi), %rdx
	mov 0x18(%rdi), %rbx
	mov 0x28(%rdi), %rbp
	mov 0x30(%rdi), %rsi
	mov 0x40(%rdi), %r8
	mov 0x48(%rdi), %r9
	mov 0x50(%rdi), %r10
	mov 0x58(%rdi), %r11
	mov 0x60(%rdi), %r12
	mov 0x68(%rdi), %r13
	mov 0x70(%rdi), %r14
	mov 0x78(%rdi), %r15
	mov 0x38(%rdi), %rdi
	vmrun %rax
	push %rdi
	mov 0x08(%rsp), %rdi
	mov %rcx, 0x08(%rdi)
	mov %rdx, 0x10(%rdi)
	mov %rbx, 0x18(%rdi)
	mov %rbp, 0x28(%rdi)
	mov %rsi, 0x30(%rdi)
	mov %r8, 0x40(%rdi)
	mov %r9, 0x48(%rdi)
	mov %r10, 0x50(%rdi)
	mov %r11, 0x58(%rdi)
	mov %r12, 0x60(%rdi)
	mov %r13, 0x68(%rdi)
	mov %r14, 0x70(%rdi)
	mov %r15, 0x78(%rdi)
	pop 0x38(%rdi)
	cli
	stgi
	pop %rdi
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size svm_enter, . - svm_enter
	.section .note.GNU-stack, "", @progbits
