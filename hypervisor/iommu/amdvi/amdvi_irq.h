/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices' interrupt tables: a page each, of which the unit reads AMDVI_IRQS entries. */
#pragma once

#include "iommu/amdvi/amdvi_format.h"

/* No device has a table. */
void amdvi_irq_init(void);

/* The device's table, an empty one whatever it had before. -ENOSPC: too many devices, -ENOMEM. */
int amdvi_irq_table(uint16_t bdf, hpa_t *table);

/* When no unit uses it any more. Harmless when there is none. */
void amdvi_irq_table_free(uint16_t bdf);

/* 0: it has none. */
hpa_t amdvi_irq_table_of(uint16_t bdf);

/* An entry in the device's table, the message that leads to it. -EINVAL: it has none; -ENOSPC. */
int amdvi_irq_add(uint16_t bdf, const struct msi_route *want, struct msi_msg *out);

/* True when the message named an entry of this device. */
bool amdvi_irq_change(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg);
bool amdvi_irq_remove(uint16_t bdf, const struct msi_msg *msg);
