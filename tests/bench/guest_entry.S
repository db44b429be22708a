/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measuring guest in the shape of a bzImage: the setup header that a loader reads, then code that is entered in
 * 32-bit protected mode without paging, ESI at the boot parameters, and goes on to 64-bit mode: an exit from a guest
 * with page tables is what a kernel's exits are. Position independent, as a loader may put it anywhere.
 */
	.code32
	.section .head, "ax"
head:
	.org	0x1f1
	.byte	1			/* setup_sects: the code begins at 1024 */
	.word	0
	.long	0x400			/* syssize, in 16 bytes: more than there is does no harm */
	.org	0x1fe
	.word	0xaa55
	.byte	0xeb, 0x66		/* a jump over the header; nobody takes it */
	.ascii	"HdrS"
	.word	0x020f			/* protocol version */
	.org	0x211
	.byte	1			/* loadflags: LOADED_HIGH */
	.org	0x214
	.long	0x100000		/* code32_start */
	.org	0x22c
	.long	0x7fffffff		/* initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1			/* relocatable_kernel */
	.byte	21			/* min_alignment */
	.org	0x238
	.long	2047			/* cmdline_size */
	.org	0x258
	.quad	0x1000000		/* pref_address */
	.long	0x100000		/* init_size */

	/* low memory that is nobody's: six pages of tables from 8 MiB on, the stack below 6 MiB */
	TABLES = 0x800000
	STACK = 0x600000

	.org	0x400
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
