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

	.section .note.GNU-stack, "", @progbits
