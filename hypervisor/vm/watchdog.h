/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The boot watchdog: a Service VM that does not say within its time that it is up (a panic, a wrong
 * root file system, a black screen) must not strand anybody. The machine restarts, and the firmware
 * boots its usual entry, since ours was for this once.
 */
#pragma once

#include "lib/types.h"

/* On the boot CPU, before the Service VM runs. 0 seconds: none. */
void watchdog_arm(uint32_t seconds);
