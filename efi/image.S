/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The hypervisor's ELF file, stripped, in a section of its own: `objcopy -O binary -j .hv acrn.efi`
 * takes it out again. HYPERVISOR is its path, given by the Makefile.
 */
	.section .hv, "a", @progbits
	.balign 16
	.globl hypervisor_image
	.hidden hypervisor_image
hypervisor_image:
	.incbin HYPERVISOR
	.globl hypervisor_image_end
	.hidden hypervisor_image_end
hypervisor_image_end:

/* What shim asks for: which generation of which program this is, so that a broken one can be revoked. */
	.section .sbat, "a", @progbits
	.balign 4096
	.ascii "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
	.ascii "acrn,1,ACRN made anew,acrn,"
	.ascii VERSION
	.ascii ",mailto:maintainers@example.org\n"

	.section .note.GNU-stack, "", @progbits
