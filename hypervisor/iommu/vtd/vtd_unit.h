/* SPDX-License-Identifier: BSD-3-Clause */
/* One Intel IOMMU: its registers and the queue of invalidations that it reads. */
#pragma once

#include "iommu/vtd/vtd_format.h"

struct vtd_unit {
	struct spinlock lock; /* of the queue; innermost */
	volatile uint8_t *regs;
	uint64_t capabilities, extended;
	struct vtd_words *queue;
	volatile uint32_t *done; /* the unit writes here what a wait carries */
	uint32_t waits, tail;
	uint32_t states; /* the command bits that stay; the status can be late */
	unsigned int next_record; /* of the fault records */
	bool is_coherent; /* sees what is in CPU caches when it reads tables */
	bool can_drain;
	hpa_t base;
};

#define VTD_REGISTER_SIZE 0x1000UL

/* Takes its pages. -ENODEV, with the reason in the log, when it cannot be used; -ENOMEM. */
int vtd_unit_init(struct vtd_unit *u, hpa_t base);

/* The highest level of its second-stage tables that can hold a leaf: 1 to 3. */
unsigned int vtd_unit_max_leaf(const struct vtd_unit *u);
bool vtd_unit_caches_absent(const struct vtd_unit *u);
unsigned int vtd_unit_domains(const struct vtd_unit *u);
bool vtd_unit_has_irqs(const struct vtd_unit *u);

struct vtd_irq_table {
	hpa_t base;
	unsigned int log2; /* of its entries' number */
	bool lets_old_format_pass; /* messages that name no entry */
};

/* Turns translation on, and interrupt remapping when irqs is not NULL. */
void vtd_unit_start(struct vtd_unit *u, hpa_t root_table, const struct vtd_irq_table *irqs);

/* Has the descriptors done, fewer than 250, and waits for the end. Panics when the unit does not answer. */
void vtd_unit_do(struct vtd_unit *u, const struct vtd_words *what, unsigned int count);

bool vtd_unit_next_fault(struct vtd_unit *u, struct iommu_fault *fault);
