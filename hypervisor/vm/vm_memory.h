/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a User VM, and what its devices see of it: the same RAM, once it has a device; never the registers of
 * one. Under the VM's lock. When a call returns, neither a CPU nor a device has an old translation.
 */
#pragma once

#include "vm/vm.h"

/* As gpa_space_map() and its like. */
int vm_memory_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot);
int vm_memory_unmap(struct vm *vm, gpa_t gpa, uint64_t size);
int vm_memory_protect(struct vm *vm, gpa_t gpa, uint64_t size, unsigned int prot);

/*
 * A range whose memory the device model may take and give while the guest runs: what is missing there is fetched
 * (ioreq_fetch). For the life of the VM; -ENOSPC when there are ACRN_FETCH_RANGES.
 */
int vm_memory_lend(struct vm *vm, gpa_t gpa, uint64_t size);
/* In such a range? And nothing mapped there? From any CPU, without a lock. */
bool vm_memory_is_lent(struct vm *vm, gpa_t gpa);
bool vm_memory_is_missing(struct vm *vm, gpa_t gpa);

/* From now on devices see it. Once; -ENODEV without an IOMMU, -ENOMEM, and nothing done then. */
int vm_memory_open_to_devices(struct vm *vm);
/* No device is left. */
void vm_memory_close_to_devices(struct vm *vm);
