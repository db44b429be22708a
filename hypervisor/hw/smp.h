/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting the other CPUs, one after the other, through the trampoline page below 1 MiB. */
#pragma once

#include "lib/types.h"

/*
 * Starts every usable CPU of the MADT with the page at trampoline (below 1 MiB) as its first. Each
 * ends in entry(), which does not return. A CPU that does not come is named in the log and left
 * out. Returns the number of running CPUs, this one included.
 */
unsigned int smp_start(hpa_t trampoline, void (*entry)(void));
