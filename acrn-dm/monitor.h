/* SPDX-License-Identifier: BSD-3-Clause */
/* The command socket of --cmd_monitor: one JSON object a line, one client at a time. */
#pragma once

#include <stdint.h>

/* Nothing to do without --cmd_monitor. Returns 0 or -errno (logged). */
int monitor_init(void);
void monitor_exit(void);
/* Tells a registered client of a VM event; at most one of a kind in a second. On the loop thread. */
void monitor_event(uint32_t type);
