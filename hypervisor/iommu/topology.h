/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the requests of a PCI function arrive at an IOMMU, and with the function's own id. Private to this room. */
#pragma once

#include "lib/types.h"

/* False behind a bridge to conventional PCI: requests carry the bridge's id (PCI Express to PCI Bridge 1.0, 2.3). */
bool topology_has_own_id(uint16_t bdf);

/*
 * True when requests of one may reach the other without an IOMMU in between: functions of one device, or what is behind
 * two ports of one switch, that do not both have access control services turned on.
 */
bool topology_are_together(uint16_t a, uint16_t b);
