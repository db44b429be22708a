/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration accesses become (bdf, register, size) for the VM's policy. Whatever crosses a
 * natural boundary is done byte by byte, and a hidden function answers like an empty slot.
 */
#include "vdev/vpci.h"

#include "lib/bits.h"

#define PORT_ADDRESS 0xCF8U
#define PORT_DATA 0xCFCU
#define ADDRESS_ENABLE BIT32(31)

void vpci_init(struct vpci *v, const struct vpci_ops *ops, void *ctx)
{
	*v = (struct vpci){ .ops = ops, .ctx = ctx };
	spinlock_init(&v->lock);
}

int vpci_attach_ports(struct vpci *v, struct io_bus *bus)
{
	return io_bus_add_ports(bus, PORT_ADDRESS, 8, vpci_port, v);
}

int vpci_attach_ecam(struct vpci *v, struct io_bus *bus, uint64_t base, uint8_t first_bus,
		     uint8_t last_bus)
{
	v->ecam_base = base;
	v->ecam_first_bus = first_bus;
	return io_bus_add_mmio(bus, base, (uint64_t)(last_bus - first_bus + 1) << 20, vpci_ecam, v);
}

/* A place in configuration space: bdf in 27:12, register in 11:0, as in an ECAM address. */
static uint32_t read_place(struct vpci *v, uint32_t place, uint8_t size)
{
	uint16_t bdf = (uint16_t)(place >> 12);

	if (v->ops->is_hidden(v->ctx, bdf))
		return (uint32_t)bytes_mask(size);
	return v->ops->read(v->ctx, bdf, place & 0xFFFU, size) & (uint32_t)bytes_mask(size);
}

static void write_place(struct vpci *v, uint32_t place, uint8_t size, uint32_t value)
{
	uint16_t bdf = (uint16_t)(place >> 12);

	if (!v->ops->is_hidden(v->ctx, bdf))
		v->ops->write(v->ctx, bdf, place & 0xFFFU, size,
			      value & (uint32_t)bytes_mask(size));
}

static enum io_result access_place(struct vpci *v, uint32_t place, struct io_access *io)
{
	/* Naturally aligned up to a dword in one step, a qword in two, anything else in bytes. */
	uint8_t step = io->size > 4U ? 4U : io->size;
	uint64_t value = 0;

	if ((place & (step - 1U)) != 0)
		step = 1;
	for (unsigned int at = 0; at < io->size; at += step) {
		if (io->is_write)
			write_place(v, place + at, step, (uint32_t)(io->value >> at * 8U));
		else
			value |= (uint64_t)read_place(v, place + at, step) << at * 8U;
	}
	if (!io->is_write)
		io->value = value;
	return IO_DONE;
}

static enum io_result access_address(struct vpci *v, struct io_access *io)
{
	/* Only a whole dword reaches the latch; else 0xCF9 could not be the reset register. */
	if (io->addr != PORT_ADDRESS || io->size != 4U)
		return IO_FORWARD;
	spinlock_lock(&v->lock);
	if (io->is_write)
		v->address = (uint32_t)io->value & ~3U;
	else
		io->value = v->address;
	spinlock_unlock(&v->lock);
	return IO_DONE;
}

enum io_result vpci_port(void *dev, struct io_access *io)
{
	struct vpci *v = dev;
	uint32_t address;

	if (io->addr < PORT_DATA)
		return access_address(v, io);
	spinlock_lock(&v->lock);
	address = v->address;
	spinlock_unlock(&v->lock);
	if ((address & ADDRESS_ENABLE) == 0) {
		io->value = io->is_write ? io->value : bytes_mask(io->size);
		return IO_DONE;
	}
	return access_place(v, (address & 0xFFFF00U) << 4 | (address & 0xFCU) |
				       (uint32_t)(io->addr & 3U), io);
}

enum io_result vpci_ecam(void *dev, struct io_access *io)
{
	struct vpci *v = dev;
	uint32_t place = (uint32_t)v->ecam_first_bus << 20;

	return access_place(v, place + (uint32_t)(io->addr - v->ecam_base), io);
}
