/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Config accesses, from ports 0xCF8/0xCFC (folded by the HSM) and from ECAM. One lock serialises them all,
 * because they move BARs; the bytes themselves change under the function's irq_lock, where interrupts read
 * them.
 */
#include "bus/pci_internal.h"

#include <stdatomic.h>

static pthread_mutex_t cfg_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t ecam_base = PCI_ECAM_BASE, ecam_size = PCI_ECAM_SIZE;

void pci_ecam_move(uint64_t base, uint64_t size)
{
	atomic_store(&ecam_size, 0);	/* never half of each */
	atomic_store(&ecam_base, base);
	atomic_store(&ecam_size, size);
}

bool pci_ecam_holds(uint64_t addr, uint64_t *offset)
{
	uint64_t size = atomic_load(&ecam_size);

	*offset = addr - atomic_load(&ecam_base);
	return *offset < size;
}

uint64_t pci_ecam_base(void)
{
	return atomic_load(&ecam_base);
}

uint64_t pci_ecam_size(void)
{
	return atomic_load(&ecam_size);
}

static uint32_t all_ones(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << 8 * size) - 1;
}

static struct pci_func *target(uint16_t bdf, unsigned int reg, unsigned int size)
{
	if (reg >= PCI_CFG_SIZE || (size != 1 && size != 2 && size != 4) || (reg & (size - 1)))
		return NULL;
	return pci_func_find(bdf >> 8, bdf >> 3 & 31, bdf & 7);
}

uint32_t pci_cfg_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint32_t value = all_ones(size);
	struct pci_func *f;

	pthread_mutex_lock(&cfg_lock);
	f = target(bdf, reg, size);
	if (f && !(f->ops && f->ops->cfg_read && f->ops->cfg_read(f, reg, size, &value))) {
		pthread_mutex_lock(&f->irq_lock);
		value = pci_get(f->cfg, reg, size);
		pthread_mutex_unlock(&f->irq_lock);
	}
	pthread_mutex_unlock(&cfg_lock);
	return value;
}

static void store(struct pci_func *f, unsigned int reg, unsigned int size, uint32_t value)
{
	uint32_t mask = pci_get(f->wmask, reg, size);

	pthread_mutex_lock(&f->irq_lock);
	pci_put(f->cfg, reg, size, (pci_get(f->cfg, reg, size) & ~mask) | (value & mask));
	pthread_mutex_unlock(&f->irq_lock);
}

void pci_cfg_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	struct pci_func *f;

	pthread_mutex_lock(&cfg_lock);
	f = target(bdf, reg, size);
	if (f && !(f->ops && f->ops->cfg_write && f->ops->cfg_write(f, reg, size, value))) {
		store(f, reg, size, value);
		if (reg < CFG_CAP_PTR)
			pci_bar_update(f);
		pci_irq_update(f);
		if (f->ops && f->ops->cfg_written)
			f->ops->cfg_written(f, reg, size);
	}
	pthread_mutex_unlock(&cfg_lock);
}
