/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of a tiny guest that stays in 32-bit protected mode without paging, and takes its faults. */
#include "header.S"

	cli
	cld
	mov	$0x600000, %esp		/* 6 MiB: low memory that is nobody's */
	push	%esi
	call	tiny_main
1:	hlt
	jmp	1b

	/* 32 stubs of 16 bytes: vector, then the common way; FAULT_CODES names the vectors that bring a code */
#define FAULT_CODES 0x60227d00
	.text
	.globl	fault_stubs
	.balign	16
fault_stubs:
	vector = 0
	.rept	32
	.balign	16
	.if	!((FAULT_CODES >> vector) & 1)
	push	$0
	.endif
	push	$vector
	jmp	fault_common
	vector = vector + 1
	.endr

fault_common:
	pusha
	push	%esp			/* struct fault * */
	call	tiny_fault
	add	$4, %esp
	popa
	add	$8, %esp
	iret
