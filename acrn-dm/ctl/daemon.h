/* SPDX-License-Identifier: BSD-3-Clause */
/* What acrnd does, on the loop of its caller. */
#pragma once

#include "ctl/vms.h"

struct daemon_places {
	struct vms_places vms;
	const char *timers;	/* the list of timers; an installed system's if NULL */
};

/* Listens, takes up the timers, and starts the kept VMs `delay` seconds later. Returns 0 or -errno (logged). */
int daemon_init(const struct daemon_places *places, unsigned int delay);
/* Stops all VMs, then the loop: at the latest 20 seconds later. */
void daemon_end(void);
void daemon_exit(void);
