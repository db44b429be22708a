/* SPDX-License-Identifier: BSD-3-Clause */
/* --mmiodev_pt: device memory of this machine, outside PCI, that is the guest's while the VM lives. */
#pragma once

/* Where the guest finds it: one after the other, in the order of the command line. */
#define MMIO_PT_BASE	0xF0000000ull
#define MMIO_PT_END	0xFE000000ull

/* Gives what the command line names to the VM, before it starts. 0 or -errno, logged. */
int mmio_pt_init(void);
/* Takes it back; the VM does not run. */
void mmio_pt_exit(void);
