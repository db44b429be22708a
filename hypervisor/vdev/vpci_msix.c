/* SPDX-License-Identifier: BSD-3-Clause */
/* See vpci_msix.h. A guest that writes address and data of an entry it has not masked gets what it asked for, twice. */
#include "vdev/vpci_msix.h"

#include "lib/bits.h"
#include "lib/util.h"

void vpci_msix_init(struct vpci_msix *m, struct vpci_msix_entry *entry, unsigned int count)
{
	m->count = count;
	m->entry = entry;
	m->enabled = false;
	m->masked_all = false;
	for (unsigned int i = 0; i < count; i++)
		entry[i] = (struct vpci_msix_entry){ .control = VPCI_MSIX_ENTRY_MASKED };
}

bool vpci_msix_is_live(const struct vpci_msix *m, unsigned int entry)
{
	return m->enabled && !m->masked_all && (m->entry[entry].control & VPCI_MSIX_ENTRY_MASKED) == 0;
}

void vpci_msix_control(struct vpci_msix *m, bool enabled, bool masked_all)
{
	if (m->enabled == enabled && m->masked_all == masked_all)
		return;
	m->enabled = enabled;
	m->masked_all = masked_all;
	for (unsigned int i = 0; i < m->count; i++)
		m->changed(m->ctx, i);
}

static bool is_sane(const struct vpci_msix *m, uint32_t offset, uint8_t size)
{
	return (size == 4U || size == 8U) && IS_ALIGNED(offset, size) &&
	       offset + size <= m->count * VPCI_MSIX_ENTRY_SIZE;
}

static uint32_t read_dword(const struct vpci_msix *m, uint32_t offset)
{
	const struct vpci_msix_entry *e = &m->entry[offset / VPCI_MSIX_ENTRY_SIZE];

	switch (offset % VPCI_MSIX_ENTRY_SIZE / 4U) {
	case 0:
		return (uint32_t)e->address;
	case 1:
		return (uint32_t)(e->address >> 32);
	case 2:
		return e->data;
	default:
		return e->control;
	}
}

uint64_t vpci_msix_read(const struct vpci_msix *m, uint32_t offset, uint8_t size)
{
	uint64_t value;

	if (!is_sane(m, offset, size))
		return bytes_mask(size);
	value = read_dword(m, offset);
	if (size == 8U)
		value |= (uint64_t)read_dword(m, offset + 4U) << 32;
	return value;
}

static void write_dword(struct vpci_msix *m, uint32_t offset, uint32_t value)
{
	struct vpci_msix_entry *e = &m->entry[offset / VPCI_MSIX_ENTRY_SIZE];

	switch (offset % VPCI_MSIX_ENTRY_SIZE / 4U) {
	case 0:
		e->address = (e->address & ~0xFFFFFFFFUL) | (value & ~3U);
		break;
	case 1:
		e->address = (e->address & 0xFFFFFFFFUL) | (uint64_t)value << 32;
		break;
	case 2:
		e->data = value;
		break;
	default:
		e->control = value & VPCI_MSIX_ENTRY_MASKED;
		break;
	}
}

void vpci_msix_write(struct vpci_msix *m, uint32_t offset, uint8_t size, uint64_t value)
{
	unsigned int n = offset / VPCI_MSIX_ENTRY_SIZE;
	struct vpci_msix_entry before;
	bool was_live;

	if (!is_sane(m, offset, size))
		return;
	before = m->entry[n];
	was_live = vpci_msix_is_live(m, n);
	write_dword(m, offset, (uint32_t)value);
	if (size == 8U)
		write_dword(m, offset + 4U, (uint32_t)(value >> 32));
	if (was_live != vpci_msix_is_live(m, n) ||
	    (was_live && (before.address != m->entry[n].address || before.data != m->entry[n].data)))
		m->changed(m->ctx, n);
}
