/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device model that is only its manager socket, on a thread of its own: it says that it runs, and takes notes. Told
 * to stop, it goes, unless it is a stubborn one.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_vm {
	char path[108];
	int fd;
	pthread_t thread;
	bool is_stubborn;
	int32_t state;			/* answer to a query */
	volatile uint32_t last_id;	/* but a query */
	volatile int32_t last_force;
	char devargs[256];
};

/* Listens in dir as `name`. The other fields are zero, or set before. */
void fake_vm_start(struct fake_vm *vm, const char *dir, const char *name);
void fake_vm_end(struct fake_vm *vm);
