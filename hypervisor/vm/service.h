/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Service VM: the machine as it is, less the hypervisor. Memory is mapped one to one, devices
 * and their interrupts are its own, vCPU n runs on CPU n with that CPU's APIC id.
 */
#pragma once

#include "mm/memmap.h"
#include "vm/load_bzimage.h"
#include "vm/vm.h"

/*
 * Makes it of the kernel and what belongs to it (source->rsdp is filled here) and starts it; takes
 * what it needs from memmap, of which nothing may become the hypervisor's afterwards. Panics with a
 * sentence when it cannot.
 */
void service_vm_start(struct bzimage_source *source, struct memmap *memmap);

/* service_memory.c: the one-to-one map without what is the hypervisor's or emulated. */
void service_memory_init(struct vm *vm, const struct memmap *memmap);
bool service_map_on_demand(struct vm *vm, gpa_t gpa);

/*
 * Device memory of the Service VM's that goes to a User VM: true when it is the Service VM's, all of it, and no RAM.
 * Taken, it is not there for the Service VM, neither for its CPUs nor for its devices, until it is given back. Whole
 * pages. -ENODEV: not so; -ENOSPC: as much is away as can be counted; -ENOMEM.
 */
bool service_memory_is_device(hpa_t hpa, uint64_t size);
int service_memory_take(hpa_t hpa, uint64_t size);
void service_memory_give_back(hpa_t hpa, uint64_t size);

/* A PCI function that does not exist for the Service VM: ours, or a User VM's. */
bool service_pci_is_hidden(uint16_t bdf);

/* service_io.c: what of ports and device memory is not simply the hardware's. */
void service_io_init(struct vm *vm);
enum exit_result service_forward(struct vcpu *vcpu);

/* service_load.c: kernel, initrd, ACPI tables, the boot vCPU's registers. */
void service_load(struct vm *vm, struct bzimage_source *source, struct memmap *memmap);
