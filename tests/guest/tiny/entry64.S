/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The beginning of a tiny guest that goes on to 64-bit mode: an exit from a guest with page tables is what a kernel's
 * exits are. Position independent, as a loader may put it anywhere.
 */
#include "header.S"

	/* low memory that is nobody's: six pages of tables from 8 MiB on, the stack below 6 MiB */
	TABLES = 0x800000
	STACK = 0x600000

	cli
	cld
	mov	$STACK, %esp
	push	$0
	push	%esi
	mov	$TABLES, %edi		/* all six pages empty, then 4 GiB one to one in pages of 2 MiB */
	xor	%eax, %eax
	mov	$(6 * 1024), %ecx
	rep stosl
	movl	$(TABLES + 0x1000 + 3), TABLES
	mov	$(TABLES + 0x1000), %edi
	mov	$(TABLES + 0x2000 + 3), %eax
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x1000, %eax
	loop	1b
	mov	$(TABLES + 0x2000), %edi
	mov	$0x83, %eax
	mov	$2048, %ecx
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	loop	2b
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$TABLES, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	call	3f
3:	pop	%ebx
	lea	gdt - 3b(%ebx), %eax
	push	%eax
	pushw	$(3 * 8 - 1)
	lgdt	(%esp)
	add	$6, %esp
	lea	long_mode - 3b(%ebx), %eax
	push	$8
	push	%eax
	lret

	.code64
long_mode:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	pop	%rdi			/* the boot parameters */
	and	$-16, %rsp
	call	guest_main
4:	hlt
	jmp	4b

	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
