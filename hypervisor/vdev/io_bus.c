/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sorted table of a VM's ranges and its binary search. Ranges never overlap, so the last one
 * that begins at or below an address is the only one that can hold it.
 */
#include "vdev/io_bus.h"

#include "lib/errno.h"
#include "lib/util.h"

void io_bus_init(struct io_bus *bus)
{
	*bus = (struct io_bus){ 0 }; /* unused ranges hold nothing: size 0 */
}

/* Index in [first, last) after the last range whose base is <= addr; first when there is none. */
static unsigned int upper_bound(const struct io_bus *bus, unsigned int first, unsigned int last,
				uint64_t addr)
{
	while (first < last) {
		unsigned int middle = (first + last) / 2U;

		if (bus->range[middle].base <= addr)
			first = middle + 1U;
		else
			last = middle;
	}
	return first;
}

bool io_bus_overlaps(const struct io_bus *bus, enum io_space space, uint64_t base, uint64_t size)
{
	unsigned int first = space == IO_PORT ? 0 : bus->ports;
	unsigned int last = space == IO_PORT ? bus->ports : bus->count;

	for (unsigned int i = first; i < last; i++) {
		if (ranges_overlap(base, size, bus->range[i].base, bus->range[i].size))
			return true;
	}
	return false;
}

static int add(struct io_bus *bus, const struct io_range *range)
{
	bool is_port = range->space == IO_PORT;
	unsigned int at;

	if (range->size == 0 || range->base + range->size < range->base)
		return -EINVAL;
	if (io_bus_overlaps(bus, range->space, range->base, range->size))
		return -EEXIST;
	if (bus->count == IO_BUS_MAX)
		return -ENOSPC;
	at = upper_bound(bus, is_port ? 0 : bus->ports, is_port ? bus->ports : bus->count,
			 range->base);
	for (unsigned int i = bus->count; i > at; i--)
		bus->range[i] = bus->range[i - 1U];
	bus->range[at] = *range;
	bus->count++;
	bus->ports += is_port ? 1U : 0U;
	return 0;
}

int io_bus_add_ports(struct io_bus *bus, uint64_t base, uint64_t size, io_handler handler,
		     void *dev)
{
	struct io_range range = { IO_PORT, base, size, handler, dev };

	return base > 0xFFFFU || size > 0x10000U - base ? -EINVAL : add(bus, &range);
}

int io_bus_add_mmio(struct io_bus *bus, uint64_t base, uint64_t size, io_handler handler,
		    void *dev)
{
	struct io_range range = { IO_MMIO, base, size, handler, dev };

	return add(bus, &range);
}

const struct io_range *io_bus_find(const struct io_bus *bus, enum io_space space, uint64_t addr,
				   struct io_near *near)
{
	unsigned int first = space == IO_PORT ? 0 : bus->ports;
	unsigned int last = space == IO_PORT ? bus->ports : bus->count;
	unsigned int at = near->range[space];
	const struct io_range *range = &bus->range[at];

	if (likely(at >= first && at < last && addr - range->base < range->size))
		return range;
	at = upper_bound(bus, first, last, addr);
	if (at == first)
		return NULL;
	range = &bus->range[at - 1U];
	if (addr - range->base >= range->size)
		return NULL;
	near->range[space] = (uint8_t)(at - 1U);
	return range;
}

enum io_result io_bus_access(const struct io_bus *bus, struct io_access *io, struct io_near *near)
{
	const struct io_range *range = &bus->range[near->range[io->space]];

	if (unlikely(!io_bus_is_near(bus, io->space, io->addr, near)))
		range = io_bus_find(bus, io->space, io->addr, near);
	if (range == NULL || io->size > range->size - (io->addr - range->base))
		return IO_FORWARD;
	return range->handler(range->dev, io);
}

enum io_result io_bus_bytes(const struct io_bytes *ops, void *dev, struct io_access *io)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < io->size; i++) {
		if (io->is_write)
			ops->write(dev, io->addr + i, (uint8_t)(io->value >> (i * 8U)));
		else
			value |= (uint64_t)ops->read(dev, io->addr + i) << (i * 8U);
	}
	if (!io->is_write)
		io->value = value;
	return IO_DONE;
}
