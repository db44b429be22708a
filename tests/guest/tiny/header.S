/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shape of a bzImage: the setup header that a loader reads. What follows begins at 1024 and is entered in 32-bit
 * protected mode without paging, ESI at the boot parameters, wherever the loader put it.
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

	.org	0x400
