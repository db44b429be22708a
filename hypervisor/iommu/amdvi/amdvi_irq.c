/* SPDX-License-Identifier: BSD-3-Clause */
/* A message's data is an index into its device's own table, so no device can use the entries of another. */
#include "iommu/amdvi/amdvi_irq.h"

#include "hw/paging.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/apic.h"

#define TABLES 256U

static struct {
	uint32_t *entries; /* NULL: free */
	uint16_t bdf;
} tables[TABLES];

static unsigned int find(uint16_t bdf)
{
	unsigned int i = 0;

	while (i < TABLES && (tables[i].entries == NULL || tables[i].bdf != bdf))
		i++;
	return i;
}

void amdvi_irq_init(void)
{
	memset(tables, 0, sizeof(tables));
}

int amdvi_irq_table(uint16_t bdf, hpa_t *table)
{
	unsigned int at = find(bdf);

	if (at == TABLES) {
		for (at = 0; at < TABLES && tables[at].entries != NULL; at++)
			;
		if (at == TABLES)
			return -ENOSPC;
		tables[at].entries = page_pool_alloc(&host_pool);
		if (tables[at].entries == NULL)
			return -ENOMEM;
		tables[at].bdf = bdf;
	}
	memset(tables[at].entries, 0, PAGE_SIZE);
	*table = page_pool_to_hpa(&host_pool, tables[at].entries);
	return 0;
}

void amdvi_irq_table_free(uint16_t bdf)
{
	unsigned int at = find(bdf);

	if (at == TABLES)
		return;
	page_pool_free(&host_pool, tables[at].entries);
	tables[at].entries = NULL;
}

hpa_t amdvi_irq_table_of(uint16_t bdf)
{
	unsigned int at = find(bdf);

	return at == TABLES ? 0 : page_pool_to_hpa(&host_pool, tables[at].entries);
}

/* A level interrupt's EOI finds the pin by its vector, which in the pin is the index. */
static bool fits(const struct msi_route *want, unsigned int index)
{
	return !want->is_level || (index & 0xFFU) == want->vector;
}

int amdvi_irq_add(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	unsigned int at = find(bdf);

	if (at == TABLES)
		return -EINVAL;
	for (unsigned int i = 0; i < AMDVI_IRQS; i++) {
		if (tables[at].entries[i] != 0 || !fits(want, i))
			continue;
		atomic_store(&tables[at].entries[i], amdvi_irq(want));
		out->address = MSI_ADDR_BASE;
		out->data = i;
		return 0;
	}
	return -ENOSPC;
}

/* The entry that msg names, NULL when it is none of this device's. */
static uint32_t *named(uint16_t bdf, const struct msi_msg *msg)
{
	unsigned int at = find(bdf);

	if (at == TABLES || msg->data >= AMDVI_IRQS || msg->address != MSI_ADDR_BASE ||
	    tables[at].entries[msg->data] == 0)
		return NULL;
	return &tables[at].entries[msg->data];
}

bool amdvi_irq_change(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	uint32_t *entry = named(bdf, msg);

	if (entry == NULL || !fits(want, msg->data))
		return false;
	atomic_store(entry, amdvi_irq(want));
	return true;
}

bool amdvi_irq_remove(uint16_t bdf, const struct msi_msg *msg)
{
	uint32_t *entry = named(bdf, msg);

	if (entry != NULL)
		atomic_store(entry, 0U);
	return entry != NULL;
}
