/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical devices that a User VM has. A device comes and goes only while its VM does not run, so the list is read
 * without a lock by the VM's exits; what an exit changes in a device is claimed (busy), and who finds it claimed
 * executes its instruction again. All else under the VM's lock.
 *
 *   Service VM's -- assign --> the VM's: quiet at first, then as its guest wants
 *        ^                          |
 *        +------- release ----------+ quiet again, its DMA blocked, vectors freed; the module resets it
 */
#pragma once

#include <acrn/dev.h>

#include "hw/pci_sriov.h"
#include "vdev/vpci_msix.h"
#include "vdev/vpci_passthru.h"
#include "vm/ptirq_msi.h"

struct passthru_irqs; /* MSI-X: a page */

struct passthru_dev {
	struct vm *vm;
	uint16_t phys, virt; /* bus 15:8, device 7:3, function 2:0 */
	uint32_t busy;	     /* shared: an exit is changing it */
	struct acrn_pcidev given;
	bool is_vf;
	struct pci_vf vf;
	uint32_t vf_sizing; /* bit n: BAR n was written ones */
	struct vpci_passthru pci;
	gpa_t mapped[VPCI_BARS]; /* where the guest has it now; GPA_INVALID: nowhere */
	struct vpci_msix msix;
	unsigned int msix_bar;
	uint32_t msix_offset;
	struct passthru_irqs *irqs;
	struct ptirq_msi msi;
};

/*
 * Gives the device to the VM. -ENODEV: no IOMMU, no such device of the Service VM's, a bridge; -EINVAL: bad BARs, or
 * the place is taken; -EBUSY: its virtual functions are on; -ENOSPC: the VM has as many as it can; -ENOMEM; errors of
 * iommu_attach. Nothing done then.
 */
int passthru_assign(struct vm *vm, const struct acrn_pcidev *dev);
/* The VM's device of that physical address, or NULL. */
struct passthru_dev *passthru_find(struct vm *vm, uint16_t phys);
void passthru_release(struct passthru_dev *dev);
/* All that the VM has of the machine's devices. */
void passthru_release_all(struct vm *vm);
/* As after the assignment: for a VM that is reset with its devices. */
void passthru_reset_all(struct vm *vm);

/* True when a User VM has it, so that it does not exist for the Service VM. Any CPU. */
bool passthru_is_assigned(uint16_t bdf);

/* Registers of another kind: at most a page multiple each, that the Service VM has. -ENODEV, -EINVAL, -ENOSPC. */
int passthru_assign_mmio(struct vm *vm, const struct acrn_mmiores *res);
int passthru_release_mmio(struct vm *vm, const struct acrn_mmiores *res);

/*
 * How often the VM's devices interrupted since the last call: pairs of a number that names the interrupt (the CPU in
 * 15:8, its vector in 7:0) and a count, as many as fit into max words. Words written.
 */
unsigned int passthru_count_irqs(struct vm *vm, uint64_t *words, unsigned int max);

enum passthru_result { PASSTHRU_NOT_MINE, PASSTHRU_DONE, PASSTHRU_BUSY };

/* An access of the guest's that nobody answered yet: configuration space, or a register that is not simply mapped. */
enum passthru_result passthru_access(struct vm *vm, struct io_access *io);

/* passthru_vf.c: the device's own configuration space; ctx: the device. */
extern uint32_t passthru_hw_read(void *ctx, uint16_t reg, uint8_t size);
extern void passthru_hw_write(void *ctx, uint16_t reg, uint8_t size, uint32_t value);

/* passthru_bar.c: the guest's memory map follows its BARs. */
bool passthru_bars_are_sane(const struct passthru_dev *dev);
int passthru_take_bars(struct passthru_dev *dev);
void passthru_give_back_bars(struct passthru_dev *dev);
void passthru_update_bars(struct passthru_dev *dev);
void passthru_unmap_bars(struct passthru_dev *dev);
/* An access, carried out at a register of the hardware's. */
void passthru_access_register(volatile uint8_t *at, struct io_access *io);
/* An access within a BAR that is not mapped: ports, pages with an MSI-X table, BARs smaller than a page. */
enum passthru_result passthru_bar_access(struct passthru_dev *dev, struct io_access *io);

/* passthru_irq.c */
void passthru_irq_init(struct passthru_dev *dev);
void passthru_irq_free(struct passthru_dev *dev);
/* The n-th of a device, MSI first; NULL behind the last. */
const struct ptirq_msi *passthru_irq(const struct passthru_dev *dev, unsigned int n);
extern void passthru_msi_changed(void *ctx);
extern void passthru_msix_changed(void *ctx);
