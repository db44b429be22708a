/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of devices that User VMs have: from a physical vector of the CPU on which the meant vCPU runs to a message
 * in that VM. The IOMMU's table stands between, so a device can send nothing but what is made here.
 */
#pragma once

#include "iommu/iommu.h"
#include "vm/vm.h"

/* One interrupt of a device; all zero: none. */
struct ptirq_msi {
	bool active;
	uint8_t vector;
	uint16_t cpu;
	struct msi_msg message; /* for the device */
};

/* Before any VM runs. */
void ptirq_msi_init(void);

/* A vector for something else, on the CPU of the VM's boot vCPU; fn(ctx) runs before its EOI. -ENOSPC. */
int ptirq_vector_take(struct ptirq_msi *irq, struct vm *vm, void (*fn)(void *ctx), void *ctx);
/* When it returns, fn does not run and will not. */
void ptirq_vector_free(struct ptirq_msi *irq);

/*
 * The device bdf of vm is to send address and data, as the guest wrote them. The first time, and when another CPU is
 * meant, message changes: the caller has the interrupt masked in the device, and programs it then. -EINVAL: no such
 * message; -ENOSPC: no vector is free; errors of iommu_map_irq. After an error there is no interrupt.
 */
int ptirq_msi_set(struct ptirq_msi *irq, struct vm *vm, uint16_t bdf, uint64_t address, uint32_t data);

/* No interrupt any more; what is under way is dropped. Harmless when there is none. */
void ptirq_msi_free(struct ptirq_msi *irq, uint16_t bdf);

/* Physical interrupts that came for this one since it was made, or since the last call. */
uint64_t ptirq_msi_take_count(const struct ptirq_msi *irq);
