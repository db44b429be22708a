/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the requests of a PCI function arrive at an IOMMU with the function's own id. Private to this room. */
#pragma once

#include "lib/types.h"

/* False behind a bridge to conventional PCI: requests carry the bridge's id (PCI Express to PCI Bridge 1.0, 2.3). */
bool topology_has_own_id(uint16_t bdf);
