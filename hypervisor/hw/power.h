/* SPDX-License-Identifier: BSD-3-Clause */
/* Ending or restarting the machine, by what the FADT names and then by what every PC has. */
#pragma once

#include "lib/types.h"

/* FADT reset register, port CF9, keyboard controller, triple fault, in that order. */
_Noreturn void power_reset(void);

/*
 * Enters S5 with the sleep types of the two PM1 control registers, as the Service VM wrote them.
 * Returns only when the machine is still on after a second.
 */
void power_off(unsigned int slp_typ_a, unsigned int slp_typ_b);
