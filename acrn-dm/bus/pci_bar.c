/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BARs: their first addresses come from three windows that only grow; later the guest moves them as it likes,
 * and pci_bar_update() makes the buses follow. A BAR that collides with another range does not answer.
 */
#include <errno.h>

#include "bus/io.h"
#include "bus/pci_internal.h"
#include "log.h"

#define MEM64_IN_LOW_MAX	(32ull << 20)	/* smaller ones live in the 32-bit hole */

#define ROM_SIZE_MIN		2048ull
#define ROM_SIZE_MAX		(16ull << 20)
#define ROM_ENABLE		1u

struct window {
	uint64_t base, end, next;
};

enum { WINDOW_IO, WINDOW_MEM32, WINDOW_MEM64 };

static struct window windows[] = {
	[WINDOW_IO] = { PCI_IO_BASE, PCI_IO_END, PCI_IO_BASE },
	[WINDOW_MEM32] = { PCI_MEM32_BASE, PCI_MEM32_END, PCI_MEM32_BASE },
	[WINDOW_MEM64] = { PCI_MEM64_BASE, PCI_MEM64_END, PCI_MEM64_BASE },
};

void pci_bar_forget_windows(void)
{
	for (unsigned int i = 0; i < 3; i++)
		windows[i].next = windows[i].base;
}

static struct window *window_for(enum pci_bar_type type, uint64_t size)
{
	if (type == PCI_BAR_IO)
		return &windows[WINDOW_IO];
	if (type == PCI_BAR_MEM64 && size > MEM64_IN_LOW_MAX)
		return &windows[WINDOW_MEM64];
	return &windows[WINDOW_MEM32];
}

static int take_address(enum pci_bar_type type, uint64_t size, uint64_t *addr)
{
	struct window *w = window_for(type, size);
	uint64_t at = (w->next + size - 1) & ~(size - 1);

	if (at >= w->end || size > w->end - at)
		return -ENOSPC;
	w->next = at + size;
	*addr = at;
	return 0;
}

static void write_registers(struct pci_func *f, int idx)
{
	struct pci_bar *b = &f->bar[idx];
	unsigned int reg = CFG_BAR0 + 4 * (unsigned int)idx;
	uint64_t mask = ~(b->size - 1);
	uint32_t low = b->type == PCI_BAR_IO ? 1 : b->type == PCI_BAR_MEM64 ? 4 : 0;

	pci_put(f->cfg, reg, 4, (uint32_t)b->addr | low);
	pci_put(f->wmask, reg, 4, (uint32_t)mask & (b->type == PCI_BAR_IO ? 0xfffffffcu : 0xfffffff0u));
	if (b->type == PCI_BAR_MEM64) {
		pci_put(f->cfg, reg + 4, 4, (uint32_t)(b->addr >> 32));
		pci_put(f->wmask, reg + 4, 4, (uint32_t)(mask >> 32));
	}
}

int pci_add_bar(struct pci_func *f, int idx, enum pci_bar_type type, uint64_t size)
{
	uint64_t smallest = type == PCI_BAR_IO ? 4 : 4096;
	struct pci_bar *b;
	int err;

	if (idx < 0 || idx >= PCI_BARS || f->bar[idx].type != PCI_BAR_NONE || size > 1ull << 40 ||
	    (type == PCI_BAR_MEM64 && (idx == PCI_BARS - 1 || f->bar[idx + 1].type != PCI_BAR_NONE)))
		return -EINVAL;
	b = &f->bar[idx];
	b->type = type;
	b->size = smallest;
	while (b->size < size)
		b->size <<= 1;
	err = take_address(type, b->size, &b->addr);
	b->initial = b->addr;
	if (err) {
		b->type = PCI_BAR_NONE;
		log_err("%s: no room for BAR %d of %llu bytes", f->name, idx, (unsigned long long)b->size);
		return err;
	}
	if (type == PCI_BAR_MEM64)
		f->bar[idx + 1].type = PCI_BAR_HIGH;
	write_registers(f, idx);
	return 0;
}

int pci_add_rom(struct pci_func *f, const void *data, uint64_t len)
{
	uint64_t size = ROM_SIZE_MIN, addr;

	if (len == 0 || len > ROM_SIZE_MAX || f->rom.size != 0)
		return -EINVAL;
	while (size < len)
		size <<= 1;
	if (take_address(PCI_BAR_MEM32, size, &addr) != 0) {
		log_err("%s: no room for an expansion ROM of %llu bytes", f->name, (unsigned long long)size);
		return -ENOSPC;
	}
	f->rom = (struct pci_rom){ .data = data, .len = len, .size = size, .addr = addr, .initial = addr };
	pci_put(f->cfg, CFG_ROM, 4, (uint32_t)addr);
	pci_put(f->wmask, CFG_ROM, 4, (uint32_t)~(size - 1) | ROM_ENABLE);
	return 0;
}

static void rom_access(void *arg, uint64_t off, struct io_access *a)
{
	const struct pci_rom *rom = arg;

	if (a->is_write)
		return;
	a->value = 0;
	for (unsigned int i = 0; i < a->size; i++)
		a->value |= (uint64_t)(off + i < rom->len ? rom->data[off + i] : 0xff) << 8 * i;
}

static void rom_show(struct pci_func *f, bool enable)
{
	struct io_range r = {
		.name = f->name,
		.space = IO_MMIO,
		.base = f->rom.addr,
		.len = f->rom.size,
		.handler = rom_access,
		.arg = &f->rom,
	};

	if (!enable)
		io_unregister(IO_MMIO, f->rom.addr);
	else if (io_register(&r) != 0)
		return;
	f->rom.enabled = enable;
}

static void rom_update(struct pci_func *f)
{
	struct pci_rom *rom = &f->rom;
	uint32_t reg = pci_get(f->cfg, CFG_ROM, 4);
	uint64_t addr = reg & ~(uint32_t)(rom->size - 1);
	bool enable = rom->size != 0 && (reg & ROM_ENABLE) && addr != 0 && rom->size <= (1ull << 32) - addr;

	if (rom->enabled && (!enable || addr != rom->addr))
		rom_show(f, false);
	rom->addr = addr;
	if (enable && !rom->enabled)
		rom_show(f, true);
}

static void bar_access(void *arg, uint64_t off, struct io_access *a)
{
	struct pci_bar *b = arg;
	struct pci_func *f = b->func;
	int idx = (int)(b - f->bar);

	if (idx == f->msix_bar) {
		if (a->is_write)
			pci_msix_write(f, off, a->size, a->value);
		else
			a->value = pci_msix_read(f, off, a->size);
	} else if (a->is_write) {
		if (f->ops && f->ops->bar_write)
			f->ops->bar_write(f, idx, off, a->size, a->value);
	} else {
		a->value = f->ops && f->ops->bar_read ? f->ops->bar_read(f, idx, off, a->size) : ~0ull;
	}
}

static void set_enabled(struct pci_func *f, int idx, bool enable)
{
	struct pci_bar *b = &f->bar[idx];
	struct io_range r = {
		.name = f->name,
		.space = b->type == PCI_BAR_IO ? IO_PORT : IO_MMIO,
		.base = b->addr,
		.len = b->size,
		.handler = bar_access,
		.arg = b,
	};

	if (enable && io_register(&r) != 0)
		return;
	if (!enable)
		io_unregister(r.space, b->addr);
	b->enabled = enable;
	if (idx != f->msix_bar && f->ops && f->ops->bar_moved)
		f->ops->bar_moved(f, idx, b->addr, enable);
}

static uint64_t wanted_address(const struct pci_func *f, int idx)
{
	unsigned int reg = CFG_BAR0 + 4 * (unsigned int)idx;
	uint64_t addr = pci_get(f->cfg, reg, 4);

	if (f->bar[idx].type == PCI_BAR_MEM64)
		addr |= (uint64_t)pci_get(f->cfg, reg + 4, 4) << 32;
	return addr & ~(f->bar[idx].size - 1);
}

/* Address 0 and what is being sized (all ones) do not decode; ports end at 64 KiB. */
static bool may_decode(const struct pci_func *f, int idx, uint64_t addr)
{
	const struct pci_bar *b = &f->bar[idx];
	uint32_t need = b->type == PCI_BAR_IO ? COMMAND_IO : COMMAND_MEMORY;
	uint64_t limit = b->type == PCI_BAR_IO ? PCI_IO_END : b->type == PCI_BAR_MEM32 ? 1ull << 32 : 1ull << 52;

	return (f->cfg[CFG_COMMAND] & need) && addr != 0 && addr < limit && b->size <= limit - addr;
}

void pci_bar_update(struct pci_func *f)
{
	for (int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *b = &f->bar[i];
		uint64_t addr;
		bool enable;

		if (b->type == PCI_BAR_NONE || b->type == PCI_BAR_HIGH)
			continue;
		addr = wanted_address(f, i);
		enable = may_decode(f, i, addr);
		if (b->enabled && (!enable || addr != b->addr))
			set_enabled(f, i, false);
		b->addr = addr;
		if (enable && !b->enabled)
			set_enabled(f, i, true);
	}
	rom_update(f);
}

void pci_bar_reset(struct pci_func *f)
{
	for (int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *b = &f->bar[i];

		if (b->enabled)
			set_enabled(f, i, false);
		b->addr = b->initial;
	}
	if (f->rom.enabled)
		rom_show(f, false);
	f->rom.addr = f->rom.initial;
}
