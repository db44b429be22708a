/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands in front of an unpacked Linux kernel in the file that scripts/dev/mkkernel makes: 2 MiB, most of them
 * empty, then the kernel as it lies in memory, which runs wherever it is put as long as that is a multiple of 2 MiB.
 * Entered in 32-bit protected mode, ESI at the boot parameters; goes on in 64-bit mode with 4 GiB mapped one to one.
 */
	FRONT = 0x200000
	TABLES = 0x10000		/* from the entry on, six pages; the stack ends there */
	.section .head, "ax"
	.code32
entry:
	cli
	mov	0x1e4(%esi), %eax	/* "scratch" of the boot parameters: room for a return address */
	lea	0x1e8(%esi), %esp
	call	1f
1:	pop	%ebx
	sub	$(1b - entry), %ebx	/* where we are */
	mov	%eax, 0x1e4(%esi)
	lea	TABLES(%ebx), %esp
	cld
	lea	TABLES(%ebx), %edi
	mov	%edi, %edx		/* the top table; then one of the next level, then four of pages of 2 MiB */
	xor	%eax, %eax
	mov	$(6 * 1024), %ecx
	rep stosl
	lea	0x1003(%edx), %eax
	mov	%eax, (%edx)
	lea	0x2003(%edx), %eax
	lea	0x1000(%edx), %edi
	mov	$4, %ecx
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x1000, %eax
	loop	2b
	lea	0x2000(%edx), %edi
	mov	$0x83, %eax
	mov	$2048, %ecx
3:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	loop	3b
	mov	%edx, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	lea	gdt - entry(%ebx), %eax
	push	%eax
	pushw	$(4 * 8 - 1)
	lgdt	(%esp)
	pushl	$0x10			/* the selectors of the boot protocol */
	lea	FRONT(%ebx), %eax
	push	%eax
	lret

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
