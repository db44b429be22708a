/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the vCPUs of one VM share below the VM: permission bitmaps and the guest-physical space.
 * Embedded in struct vm, so that a back end never sees a VM.
 */
#pragma once

#include "lib/types.h"
#include "mm/gpa_space.h"

struct vcpu_group {
	struct gpa_space space;
	uint8_t *io_bitmap;  /* set bit: the port exits; the back end's layout and size */
	uint8_t *msr_bitmap; /* set bits: read or write exits */
	hpa_t io_bitmap_hpa, msr_bitmap_hpa;
	void *apic_page; /* what lies at the APIC's address where the CPU is the APIC; else NULL */
	hpa_t apic_page_hpa;
	bool wants_vmcall; /* a VMCALL on AMD, VMMCALL on Intel shall be a hypercall too */
};

/* Gives the group its bitmaps, everything intercepted. -ENOMEM. */
int vcpu_group_bitmaps(struct vcpu_group *group, unsigned int io_pages, unsigned int msr_pages);
void vcpu_group_free_bitmaps(struct vcpu_group *group);

void vcpu_group_set_bit(uint8_t *map, uint32_t bit, bool on);
