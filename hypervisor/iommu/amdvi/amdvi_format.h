/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words that an AMD IOMMU reads and writes in memory (AMD I/O Virtualization Technology Specification 2.2, 2.4, 2.5).
 * Pure. An entry whose V bit is clear lets everything through untranslated: there is never one.
 */
#pragma once

#include "iommu/backend.h"

struct amdvi_entry { /* of the device table: 2.2.2 */
	uint64_t q[4];
};

struct amdvi_command { /* 2.4 */
	uint64_t q[2];
};

#define AMDVI_DEVICES 65536UL

/* Memory by a table of 4 levels; irqs: one of the next two, or 0, which lets all interrupts pass. */
struct amdvi_entry amdvi_entry_domain(hpa_t root, uint16_t domain, uint64_t irqs);

/* Interrupts only through its table of AMDVI_IRQS entries at table (0: none at all). */
uint64_t amdvi_entry_irqs(hpa_t table);

/* Those of modes fixed and lowest priority as they come. */
uint64_t amdvi_entry_plain_irqs(void);

/* Nothing, neither memory nor interrupts. root is of an empty table. */
struct amdvi_entry amdvi_entry_blocked(hpa_t root);

/* Writes data (8 bytes) at hpa when all commands before are done. */
struct amdvi_command amdvi_completion_wait(hpa_t hpa, uint64_t data);
struct amdvi_command amdvi_invalidate_device(uint16_t bdf);
struct amdvi_command amdvi_invalidate_irqs(uint16_t bdf);
struct amdvi_command amdvi_invalidate_domain(uint16_t domain); /* all of its addresses, tables' entries too */
struct amdvi_command amdvi_invalidate_all(void);

/*
 * Entries of an interrupt table: few enough that an index, in a message's data, looks like a vector of mode fixed or
 * lowest priority. Others may not be remapped.
 */
#define AMDVI_IRQS 512U
uint32_t amdvi_irq(const struct msi_route *route);

/* What an entry of the event log says, false when it is none. */
bool amdvi_event(const uint64_t event[2], struct iommu_fault *fault);
