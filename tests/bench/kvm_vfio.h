/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer's pass-through: one device that vfio-pci has, in the VM of kvm_bench. Each call ends the program on an
 * error.
 */
#pragma once

#include <stdint.h>

/*
 * The device DDDD:BB:DD.F: the VM's memory is mapped for it, its BAR 0 is where irq_guest.c looks for it, its MSI that
 * vector. Says "BENCH map-2m TICKS" and the like, ticks a GiB, of memory that it maps for the device meanwhile.
 */
void kvm_vfio_attach(int vm, const char *device, void *memory, uint64_t size);
