/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of PCI functions. An INTx pin is a level, active low, on its own GSI: asserted means the line is
 * LOW. irq_lock is a leaf: messages are sent under it, so that a mask that was set is respected from that
 * moment on, and the driver's msix_changed is called outside.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/pci_internal.h"
#include "hsm.h"
#include "log.h"

#define CAP_MSI			0x05
#define CAP_MSIX		0x11
#define MSI_CTRL		2
#define MSI_ADDR		4
#define MSI_DATA		12
#define MSIX_CTRL		2
#define MSIX_ENABLE		0x8000u
#define MSIX_MASK_ALL		0x4000u
#define MSIX_MAX		2048u
#define GSI_FIRST		16
#define GSI_END			48

static int next_gsi = GSI_FIRST;

void pci_irq_forget_gsis(void)
{
	next_gsi = GSI_FIRST;
}

int pci_add_msi(struct pci_func *f, unsigned int count)
{
	uint8_t body[12] = { 0 };	/* control, 64-bit address, data */
	unsigned int log2 = 0;
	int cap;

	while (1u << log2 < count)
		log2++;
	if (count == 0 || log2 > 5)
		return -EINVAL;
	body[0] = (uint8_t)(0x80 | log2 << 1);
	cap = pci_add_cap(f, CAP_MSI, body, sizeof(body));
	if (cap < 0)
		return cap;
	f->msi_cap = (unsigned int)cap;
	f->wmask[f->msi_cap + MSI_CTRL] = 0x71;
	pci_cfg_writable(f, f->msi_cap + MSI_ADDR, 10);
	f->wmask[f->msi_cap + MSI_ADDR] = 0xfc;
	return 0;
}

/* Offset of the pending bits in the BAR: a page of their own. */
static unsigned int pba_offset(unsigned int count)
{
	return (count * 16 + 0xfff) & ~0xfffu;
}

int pci_add_msix(struct pci_func *f, int bar, unsigned int count)
{
	unsigned int pba = pba_offset(count);
	uint8_t body[10];
	int cap, err;

	if (count == 0 || count > MSIX_MAX)
		return -EINVAL;
	err = pci_add_bar(f, bar, PCI_BAR_MEM32, pba + 0x1000);
	if (err)
		return err;
	pci_put(body, 0, 2, count - 1);
	pci_put(body, 2, 4, (uint32_t)bar);
	pci_put(body, 6, 4, pba | (uint32_t)bar);
	cap = pci_add_cap(f, CAP_MSIX, body, sizeof(body));
	if (cap < 0)
		return cap;
	f->msix = calloc(count, sizeof(*f->msix));
	f->msix_pending = calloc((count + 63) / 64, 8);
	if (!f->msix || !f->msix_pending)
		return -ENOMEM;
	f->msix_cap = (unsigned int)cap;
	f->wmask[f->msix_cap + MSIX_CTRL + 1] = 0xc0;
	f->msix_count = count;
	f->msix_bar = bar;
	return 0;
}

int pci_add_intx(struct pci_func *f)
{
	if (f->gsi >= 0)
		return 0;
	if (f->fn > 3) {	/* a pin each for functions 0..3, and no pin is shared */
		log_warn("%s: function %u of a slot has no interrupt pin, only MSI", f->name, f->fn);
		return 0;
	}
	if (next_gsi == GSI_END) {
		log_err("%s: all %d interrupt lines are taken", f->name, GSI_END - GSI_FIRST);
		return -ENOSPC;
	}
	f->gsi = next_gsi++;
	f->cfg[CFG_INT_LINE] = (uint8_t)f->gsi;
	f->cfg[CFG_INT_PIN] = (uint8_t)(f->fn + 1);
	return 0;
}

void pci_irq_free(struct pci_func *f)
{
	free(f->msix);
	free(f->msix_pending);
	f->msix = NULL;
	f->msix_pending = NULL;
	f->msix_count = 0;
}

static bool msi_on(const struct pci_func *f)
{
	return f->msi_cap && (f->cfg[f->msi_cap + MSI_CTRL] & 1);
}

static uint32_t msix_ctrl(const struct pci_func *f)
{
	return f->msix_cap ? pci_get(f->cfg, f->msix_cap + MSIX_CTRL, 2) : 0;
}

bool pci_msi_enabled(struct pci_func *f)
{
	bool on;

	pthread_mutex_lock(&f->irq_lock);
	on = msi_on(f);
	pthread_mutex_unlock(&f->irq_lock);
	return on;
}

bool pci_msix_enabled(struct pci_func *f)
{
	bool on;

	pthread_mutex_lock(&f->irq_lock);
	on = (msix_ctrl(f) & MSIX_ENABLE) != 0;
	pthread_mutex_unlock(&f->irq_lock);
	return on;
}

static void send(struct pci_func *f, uint64_t addr, uint32_t data)
{
	int err;

	if (!pci_bus_master(f))
		return;		/* a message is a bus-master write */
	err = hsm_inject_msi(addr, data);
	if (err)
		log_guest("%s: MSI to 0x%llx: %s", f->name, (unsigned long long)addr, strerror(-err));
}

void pci_msi_post(struct pci_func *f, unsigned int vec)
{
	unsigned int allotted;
	uint64_t addr;
	uint32_t data;

	pthread_mutex_lock(&f->irq_lock);
	if (msi_on(f)) {
		allotted = 1u << (f->cfg[f->msi_cap + MSI_CTRL] >> 4 & 7);
		addr = pci_get(f->cfg, f->msi_cap + MSI_ADDR, 4) |
		       (uint64_t)pci_get(f->cfg, f->msi_cap + MSI_ADDR + 4, 4) << 32;
		data = pci_get(f->cfg, f->msi_cap + MSI_DATA, 2);
		if (allotted <= 32)
			send(f, addr, (data & ~(allotted - 1)) | (vec & (allotted - 1)));
	}
	pthread_mutex_unlock(&f->irq_lock);
}

static bool entry_open(const struct pci_func *f, unsigned int vec)
{
	return (msix_ctrl(f) & (MSIX_ENABLE | MSIX_MASK_ALL)) == MSIX_ENABLE && !(f->msix[vec].ctrl & 1);
}

/* With irq_lock held: sends what waited for its mask to go. */
static void flush_pending(struct pci_func *f)
{
	for (unsigned int i = 0; i < f->msix_count; i++) {
		if (!(f->msix_pending[i / 8] & 1u << i % 8) || !entry_open(f, i))
			continue;
		f->msix_pending[i / 8] &= (uint8_t)~(1u << i % 8);
		send(f, f->msix[i].addr, f->msix[i].data);
	}
}

void pci_msix_post(struct pci_func *f, unsigned int vec)
{
	pthread_mutex_lock(&f->irq_lock);
	if (vec < f->msix_count && (msix_ctrl(f) & MSIX_ENABLE)) {
		if (entry_open(f, vec))
			send(f, f->msix[vec].addr, f->msix[vec].data);
		else
			f->msix_pending[vec / 8] |= (uint8_t)(1u << vec % 8);
	}
	pthread_mutex_unlock(&f->irq_lock);
}

bool pci_msix_get(struct pci_func *f, unsigned int vec, uint64_t *addr, uint32_t *data)
{
	bool is_open;

	pthread_mutex_lock(&f->irq_lock);
	is_open = vec < f->msix_count && entry_open(f, vec) && pci_bus_master(f);
	if (is_open) {
		*addr = f->msix[vec].addr;
		*data = f->msix[vec].data;
	}
	pthread_mutex_unlock(&f->irq_lock);
	return is_open;
}

/* With irq_lock held: the line follows the device, unless the guest switched it off. */
static void drive_line(struct pci_func *f)
{
	bool low = f->intx_asserted && !(pci_get(f->cfg, CFG_COMMAND, 2) & COMMAND_INTX_OFF);
	int err = hsm_set_irqline((uint32_t)f->gsi, low ? HSM_LINE_LOW : HSM_LINE_HIGH);

	f->intx_low = low;
	if (err)
		log_guest("%s: interrupt line %d: %s", f->name, f->gsi, strerror(-err));
}

void pci_intx_set(struct pci_func *f, bool asserted)
{
	pthread_mutex_lock(&f->irq_lock);
	if (f->gsi >= 0 && f->intx_asserted != asserted) {
		f->intx_asserted = asserted;
		f->cfg[CFG_STATUS] = (uint8_t)((f->cfg[CFG_STATUS] & ~STATUS_INTX) | (asserted ? STATUS_INTX : 0));
		drive_line(f);
	}
	pthread_mutex_unlock(&f->irq_lock);
}

void pci_irq_update(struct pci_func *f)
{
	bool off, changed;

	pthread_mutex_lock(&f->irq_lock);
	off = pci_get(f->cfg, CFG_COMMAND, 2) & COMMAND_INTX_OFF;
	if (f->gsi >= 0 && f->intx_low != (f->intx_asserted && !off))
		drive_line(f);
	flush_pending(f);
	changed = msix_ctrl(f) != f->msix_seen || pci_bus_master(f) != f->master_seen;
	f->msix_seen = (uint16_t)msix_ctrl(f);
	f->master_seen = pci_bus_master(f);
	pthread_mutex_unlock(&f->irq_lock);
	if (changed && f->msix_cap && f->ops && f->ops->msix_changed)
		f->ops->msix_changed(f, -1);
}

void pci_irq_reset(struct pci_func *f)
{
	pthread_mutex_lock(&f->irq_lock);
	for (unsigned int i = 0; i < f->msix_count; i++)
		f->msix[i] = (struct pci_msix_entry){ .ctrl = 1 };
	if (f->msix_count)
		memset(f->msix_pending, 0, (f->msix_count + 63) / 64 * 8);
	f->intx_asserted = false;
	f->msix_seen = 0;
	f->master_seen = false;
	if (f->gsi >= 0)
		drive_line(f);
	pthread_mutex_unlock(&f->irq_lock);
}

/* --- the table as memory ---------------------------------------------------------------------------- */

static uint32_t *table_word(struct pci_func *f, uint64_t off, uint32_t *low, uint32_t *high)
{
	struct pci_msix_entry *e = &f->msix[off / 16];

	*low = (uint32_t)e->addr;
	*high = (uint32_t)(e->addr >> 32);
	switch (off % 16 / 4) {
	case 0:
		return low;
	case 1:
		return high;
	case 2:
		return &e->data;
	default:
		return &e->ctrl;
	}
}

static uint32_t read_word(struct pci_func *f, uint64_t off)
{
	unsigned int pba = pba_offset(f->msix_count);
	uint32_t low, high;

	if (off < f->msix_count * 16ull)
		return *table_word(f, off, &low, &high);
	if (off >= pba && off - pba < (f->msix_count + 63ull) / 64 * 8)
		return pci_get(f->msix_pending, (unsigned int)(off - pba), 4);
	return 0;
}

static void write_word(struct pci_func *f, uint64_t off, uint32_t value)
{
	uint32_t low, high, *word;

	if (off >= f->msix_count * 16ull)
		return;
	word = table_word(f, off, &low, &high);
	*word = word == &f->msix[off / 16].ctrl ? value & 1 : value;
	f->msix[off / 16].addr = ((uint64_t)high << 32 | low) & ~3ull;
}

uint64_t pci_msix_read(struct pci_func *f, uint64_t off, unsigned int size)
{
	uint64_t value;

	if (size < 4 || off % size)
		return ~0ull;
	pthread_mutex_lock(&f->irq_lock);
	value = read_word(f, off);
	if (size == 8)
		value |= (uint64_t)read_word(f, off + 4) << 32;
	pthread_mutex_unlock(&f->irq_lock);
	return value;
}

void pci_msix_write(struct pci_func *f, uint64_t off, unsigned int size, uint64_t value)
{
	if (size < 4 || off % size)
		return;
	pthread_mutex_lock(&f->irq_lock);
	write_word(f, off, (uint32_t)value);
	if (size == 8)
		write_word(f, off + 4, (uint32_t)(value >> 32));
	flush_pending(f);
	pthread_mutex_unlock(&f->irq_lock);
	if (f->ops && f->ops->msix_changed && off / 16 < f->msix_count)
		f->ops->msix_changed(f, (int)(off / 16));
}
