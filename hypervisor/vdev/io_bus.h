/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One access of a guest to a port or to device memory, and the table of who answers it. The same
 * struct travels from the exit handler to the device and back. A VM's buses are composed once,
 * before it runs, and only read afterwards, so look-ups take no lock; devices lock themselves.
 */
#pragma once

#include "lib/types.h"
#include "lib/util.h"

/* IO_MEMORY is on no bus: memory that is to be there before the guest goes on (vm/ioreq.h). */
enum io_space { IO_PORT, IO_MMIO, IO_MEMORY };

struct io_access {
	enum io_space space;
	bool is_write;
	uint8_t size;	/* bytes: 1, 2, 4, for MMIO also 8 */
	uint64_t addr;	/* port number or guest-physical address */
	uint64_t value; /* of a write; filled by a read, bits above size are 0 */
};

enum io_result {
	IO_DONE,    /* handled, a read's value is in place */
	IO_FORWARD, /* nobody here: the device model, or open bus */
	IO_FAULT,   /* the device model cannot know better: #GP to the guest */
};

typedef enum io_result (*io_handler)(void *dev, struct io_access *io);

#define IO_BUS_MAX 64U

struct io_range {
	enum io_space space;
	uint64_t base;
	uint64_t size;
	io_handler handler;
	void *dev;
};

struct io_bus {
	unsigned int count;
	unsigned int ports;		   /* the first so many are ports, the rest is memory */
	struct io_range range[IO_BUS_MAX]; /* sorted by space, base */
};

void io_bus_init(struct io_bus *bus);

/* Adds a range. -EEXIST when it overlaps one, -ENOSPC, -EINVAL (size 0 or wrap). */
int io_bus_add_ports(struct io_bus *bus, uint64_t base, uint64_t size, io_handler handler,
		     void *dev);
int io_bus_add_mmio(struct io_bus *bus, uint64_t base, uint64_t size, io_handler handler,
		    void *dev);

/*
 * Who was asked last, so that the next look is short; one a processor, zero to begin with. It only
 * speeds things up: any value is safe.
 */
struct io_near {
	uint8_t range[2]; /* index, by space */
};

/* The range that holds addr, NULL when none does. Hot. */
const struct io_range *io_bus_find(const struct io_bus *bus, enum io_space space, uint64_t addr,
				   struct io_near *near);

/* True when addr belongs to the one that was asked last; false says nothing. */
static inline bool io_bus_is_near(const struct io_bus *bus, enum io_space space, uint64_t addr,
				  const struct io_near *near)
{
	const struct io_range *range = &bus->range[near->range[space]];

	return range->space == space && addr - range->base < range->size;
}

/* The one that was asked last, when it wholly contains the access; NULL says nothing. */
static inline const struct io_range *io_bus_near(const struct io_bus *bus, const struct io_access *io,
						 const struct io_near *near)
{
	const struct io_range *range = &bus->range[near->range[io->space]];
	uint64_t offset = io->addr - range->base;

	return range->space == io->space && offset < range->size && io->size <= range->size - offset ?
		       range :
		       NULL;
}

/* Hands the access to the range that wholly contains it, else IO_FORWARD. Hot. */
enum io_result io_bus_access(const struct io_bus *bus, struct io_access *io, struct io_near *near);

/* True when any range of space overlaps [base, base + size). */
bool io_bus_overlaps(const struct io_bus *bus, enum io_space space, uint64_t base, uint64_t size);

/* For devices with byte registers: answers an access of any size as bytes at rising addresses. */
struct io_bytes {
	uint8_t (*read)(void *dev, uint64_t addr);
	void (*write)(void *dev, uint64_t addr, uint8_t value);
};

enum io_result io_bus_bytes(const struct io_bytes *ops, void *dev, struct io_access *io);
