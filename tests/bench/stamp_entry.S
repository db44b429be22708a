/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page in front of the protected-mode part of a Linux kernel: keeps the TSC of the kernel's entry in eight bytes of
 * the boot parameters that mean nothing (0x78), then goes on to the kernel, one page further. Only EAX and EDX are
 * touched, which both boot protocols leave undefined, and no stack is there. Offsets 0 and 0x200 are the protocols'.
 */
	STAMP_AT = 0x78
	.section .head, "ax"
	.code32
stamp:
	rdtsc
	mov	%eax, STAMP_AT(%esi)
	mov	%edx, STAMP_AT + 4(%esi)
	jmp	stamp + 0x1000
	.org	0x200
	.code64
	rdtsc
	mov	%eax, STAMP_AT(%rsi)
	mov	%edx, STAMP_AT + 4(%rsi)
	jmp	stamp + 0x1200
	.org	0x1000
