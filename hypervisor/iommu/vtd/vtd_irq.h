/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of remapped interrupts that all Intel units share; each entry says which device may use it. */
#pragma once

#include "iommu/vtd/vtd_format.h"

#define VTD_IRQS_LOG2 12U
#define VTD_IRQS (1U << VTD_IRQS_LOG2)

/* Takes its pages. -ENOMEM. */
int vtd_irq_init(hpa_t *table);

/* An entry, and the message that leads to it. -ENOSPC. */
int vtd_irq_add(uint16_t bdf, const struct msi_route *want, struct msi_msg *out);

/* True when the message named an entry of this device. */
bool vtd_irq_change(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg);
bool vtd_irq_remove(uint16_t bdf, const struct msi_msg *msg);

/* All entries of a device. */
void vtd_irq_remove_all(uint16_t bdf);
