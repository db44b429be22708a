/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that an Intel IOMMU reads in memory (VT-d 6.5, 9, legacy mode) and their fields. Pure. */
#pragma once

#include "iommu/backend.h"

struct vtd_words { /* a root, context, interrupt or queue entry: two 64-bit words, the low one first */
	uint64_t low, high;
};

#define VTD_BUSES 256U
#define VTD_ENTRIES 256U /* of a root or context table: a page */

struct vtd_words vtd_root_entry(hpa_t context_table);

/* Translated by a table of 4 levels; a device's own translations (ATS) are refused. */
struct vtd_words vtd_context_entry(hpa_t table, uint16_t domain);

/* An interrupt that only bdf may send, to an APIC id of 8 bits. */
struct vtd_words vtd_irq_entry(const struct msi_route *route, uint16_t bdf);

/* The message that leads to entry index, and back: false when it is none of ours. */
struct msi_msg vtd_irq_message(unsigned int index);
bool vtd_irq_index(const struct msi_msg *msg, unsigned int *index);

/* Descriptors of the invalidation queue. drain: requests on their way are finished, too. */
struct vtd_words vtd_invalidate_contexts(void);
struct vtd_words vtd_invalidate_domain(uint16_t domain, bool drain);
struct vtd_words vtd_invalidate_addresses(bool drain); /* of all domains */
struct vtd_words vtd_invalidate_irqs(void);
struct vtd_words vtd_wait(hpa_t hpa, uint32_t data); /* writes 4 bytes when all before is done */

/* A fault record; its top bit says that it is one. */
struct iommu_fault vtd_fault(uint64_t low, uint64_t high);
