/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way into a VMX guest and back: general registers only, the rest is in the VMCS or lazily
 * switched. rdi: struct vcpu, whose first member is gpr[16]; rsi: struct vmx_vcpu, host_rsp at 0,
 * launched at 8. RSP travels in the VMCS. Interrupts are off throughout; one that is pending makes the
 * guest exit at once (SDM 3C 26.2, 27.7).
 */
#define HOST_RSP 0x6C14

	.text
	.globl vmx_enter
	.type vmx_enter, @function
vmx_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	cmp %rsp, (%rsi)
	je 1f
	mov %rsp, (%rsi)
	mov $HOST_RSP, %eax
	vmwrite %rsp, %rax
1:	cmpb $0, 8(%rsi)
	mov 0x00(%rdi), %rax
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
	je 2f
	vmresume
	jmp refused
2:	vmlaunch
refused:
	pop %rdi
	mov $-1, %eax
	jmp out

	.globl vmx_leave
vmx_leave:
	push %rdi
	mov 0x08(%rsp), %rdi
	mov %rax, 0x00(%rdi)
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
	pop %rdi
	xor %eax, %eax
out:
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size vmx_enter, . - vmx_enter
	.section .note.GNU-stack, "", @progbits
