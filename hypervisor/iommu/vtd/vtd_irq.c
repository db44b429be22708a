/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry is free when its low word is 0. High word first written, low word first cleared: it is never half valid. */
#include "iommu/vtd/vtd_irq.h"

#include "hw/paging.h"
#include "lib/atomic.h"
#include "lib/errno.h"

#define ENTRY_OWNER 0xFFFFUL

static struct vtd_words *entries;

int vtd_irq_init(hpa_t *table)
{
	entries = page_pool_alloc_contig(&host_pool, VTD_IRQS * sizeof(*entries) / PAGE_SIZE);
	if (entries == NULL)
		return -ENOMEM;
	*table = page_pool_to_hpa(&host_pool, entries);
	return 0;
}

int vtd_irq_add(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	struct vtd_words entry = vtd_irq_entry(want, bdf);

	for (unsigned int i = 0; i < VTD_IRQS; i++) {
		if (entries[i].low != 0)
			continue;
		atomic_store(&entries[i].high, entry.high);
		atomic_store(&entries[i].low, entry.low);
		*out = vtd_irq_message(i);
		return 0;
	}
	return -ENOSPC;
}

static bool is_owned(unsigned int index, uint16_t bdf)
{
	return index < VTD_IRQS && entries[index].low != 0 && (entries[index].high & ENTRY_OWNER) == bdf;
}

bool vtd_irq_change(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	unsigned int index;

	if (!vtd_irq_index(msg, &index) || !is_owned(index, bdf))
		return false;
	atomic_store(&entries[index].low, vtd_irq_entry(want, bdf).low);
	return true;
}

bool vtd_irq_remove(uint16_t bdf, const struct msi_msg *msg)
{
	unsigned int index;

	if (!vtd_irq_index(msg, &index) || !is_owned(index, bdf))
		return false;
	atomic_store(&entries[index].low, 0UL);
	return true;
}

void vtd_irq_remove_all(uint16_t bdf)
{
	for (unsigned int i = 0; i < VTD_IRQS; i++)
		if (is_owned(i, bdf))
			atomic_store(&entries[i].low, 0UL);
}
