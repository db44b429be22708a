/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port and memory bus of the guest: ranges with a handler each. io_dispatch() holds the bus for
 * reading while a handler runs, so io_unregister() returns only when no handler of that range runs any
 * more; hence a handler must never register or unregister a range (PCI config accesses, which move BARs,
 * do not come through here: see bus/pci.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum io_space { IO_PORT, IO_MMIO };

struct io_access {
	enum io_space space;
	bool is_write;
	uint8_t size;		/* 1, 2, 4 or 8 */
	uint64_t addr;
	uint64_t value;		/* written, or to be filled in by a read */
};

/*
 * offset: a->addr less the base of the range; offset + a->size never passes its end. Runs on any I/O
 * thread, on several at once: the device locks its own state.
 */
typedef void (*io_handler)(void *arg, uint64_t offset, struct io_access *a);

struct io_range {
	const char *name;
	enum io_space space;
	uint64_t base;
	uint64_t len;
	uint8_t max_size;	/* wider accesses are split in pieces of this size; 0: no limit */
	io_handler handler;
	void *arg;
};

/* Copies *r. Returns 0, -EINVAL (empty, wraps), -EEXIST (overlap, logged) or -ENOMEM. */
int io_register(const struct io_range *r);
/* Removes the range that begins at base; true if there was one. */
bool io_unregister(enum io_space space, uint64_t base);
/* Carries out one access. What nobody answers reads as all ones; such writes are dropped. */
void io_dispatch(struct io_access *a);
/* Drops all ranges. */
void io_exit(void);
