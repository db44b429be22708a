/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's driver for a virtio PCI function, legacy or 1.x, over the real buses. */
#include "unit.h"

#include <string.h>

#include "bus/io.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_virtio_hsm.h"
#include "virtio/virtio.h"

#define SLOT		3u
#define BDF		PCI_BDF(0, SLOT, 0)
#define COMMON		0x0000u
#define DEVICE		0x2000u
#define NOTIFY		0x3000u

/* --- accesses ---------------------------------------------------------------------------------------- */

static uint64_t access_bus(enum io_space space, uint64_t addr, unsigned int size, bool is_write, uint64_t value)
{
	struct io_access a = {
		.space = space,
		.is_write = is_write,
		.size = (uint8_t)size,
		.addr = addr,
		.value = value,
	};

	if (is_write && fake_ioeventfd_write(space == IO_PORT, addr, size, value))
		return 0;
	io_dispatch(&a);
	return a.value;
}

uint64_t guest_in(uint64_t port, unsigned int size)
{
	return access_bus(IO_PORT, port, size, false, 0);
}

void guest_out(uint64_t port, unsigned int size, uint64_t value)
{
	(void)access_bus(IO_PORT, port, size, true, value);
}

uint64_t guest_load(uint64_t addr, unsigned int size)
{
	return access_bus(IO_MMIO, addr, size, false, 0);
}

void guest_store(uint64_t addr, unsigned int size, uint64_t value)
{
	(void)access_bus(IO_MMIO, addr, size, true, value);
}

/* --- life -------------------------------------------------------------------------------------------- */

static uint64_t bar_address(unsigned int bar, bool is_64)
{
	uint64_t addr = pci_cfg_read(BDF, 0x10 + 4 * bar, 4) & ~(is_64 ? 15u : 3u);

	if (is_64)
		addr |= (uint64_t)pci_cfg_read(BDF, 0x14 + 4 * bar, 4) << 32;
	return addr;
}

static unsigned int find_cap(uint8_t id)
{
	unsigned int at = pci_cfg_read(BDF, 0x34, 1);

	while (at && pci_cfg_read(BDF, at, 1) != id)
		at = pci_cfg_read(BDF, at + 1, 1);
	return at;
}

/* Vector v sends v as its data. */
static void enable_msix(void)
{
	unsigned int cap = find_cap(0x11);
	unsigned int count = (pci_cfg_read(BDF, cap + 2, 2) & 0x7ff) + 1;
	uint64_t table = pci_cfg_read(BDF, 0x14, 4) & ~15u;

	assert_int_not_equal(cap, 0);
	for (unsigned int v = 0; v < count; v++) {
		guest_store(table + 16 * v, 4, FAKE_MSI_ADDR);
		guest_store(table + 16 * v + 4, 4, 0);
		guest_store(table + 16 * v + 8, 4, v);
		guest_store(table + 16 * v + 12, 4, 0);
	}
	pci_cfg_write(BDF, cap + 2, 2, 0x8000);
}

void guest_dev_attach(struct guest_dev *g, struct pci_func *f, bool modern, bool msix)
{
	memset(g, 0, sizeof(*g));
	g->f = f;
	g->modern = modern;
	pci_start();
	pci_cfg_write(BDF, 4, 2, 7);
	g->legacy_base = bar_address(0, false);
	g->modern_base = bar_address(4, true);
	if (msix)
		enable_msix();
}

int guest_dev_make(struct guest_dev *g, const char *class_name, const char *opts, bool modern, bool msix)
{
	struct pci_func *f = pci_func_create(0, SLOT, 0, class_name);
	const struct dm_device_class *class = device_class_find(class_name);
	int err;

	assert_non_null(f);
	assert_non_null(class);
	err = device_create(class, f, opts);
	if (err)
		pci_func_destroy(f);
	else
		guest_dev_attach(g, f, modern, msix);
	return err;
}

void guest_dev_drop(struct guest_dev *g)
{
	memset(g, 0, sizeof(*g));
	device_destroy_all();
	pci_exit();
	io_exit();
}

/* --- registers --------------------------------------------------------------------------------------- */

uint8_t guest_dev_status(struct guest_dev *g)
{
	if (g->modern)
		return (uint8_t)guest_load(g->modern_base + 20, 1);
	return (uint8_t)guest_in(g->legacy_base + 18, 1);
}

void guest_dev_set_status(struct guest_dev *g, uint8_t status)
{
	if (g->modern)
		guest_store(g->modern_base + 20, 1, status);
	else
		guest_out(g->legacy_base + 18, 1, status);
}

void guest_dev_reset(struct guest_dev *g)
{
	guest_dev_set_status(g, 0);
	assert_int_equal(guest_dev_status(g), 0);
}

uint64_t guest_dev_offered(struct guest_dev *g)
{
	uint64_t low, high;

	if (!g->modern)
		return guest_in(g->legacy_base, 4);
	guest_store(g->modern_base, 4, 0);
	low = guest_load(g->modern_base + 4, 4);
	guest_store(g->modern_base, 4, 1);
	high = guest_load(g->modern_base + 4, 4);
	return low | high << 32;
}

void guest_dev_accept(struct guest_dev *g, uint64_t features)
{
	if (!g->modern) {
		guest_out(g->legacy_base + 4, 4, (uint32_t)features);
		return;
	}
	guest_store(g->modern_base + 8, 4, 0);
	guest_store(g->modern_base + 12, 4, (uint32_t)features);
	guest_store(g->modern_base + 8, 4, 1);
	guest_store(g->modern_base + 12, 4, features >> 32);
}

static void enable_modern(struct guest_dev *g, unsigned int i, const struct vq_setup *s)
{
	uint64_t base = g->modern_base;

	guest_store(base + 22, 2, i);
	guest_store(base + 24, 2, s->size);
	guest_store(base + 26, 2, i + 1);
	guest_store(base + 32, 4, (uint32_t)s->desc);
	guest_store(base + 36, 4, s->desc >> 32);
	guest_store(base + 40, 4, (uint32_t)s->avail);
	guest_store(base + 44, 4, s->avail >> 32);
	guest_store(base + 48, 4, (uint32_t)s->used);
	guest_store(base + 52, 4, s->used >> 32);
	guest_store(base + 28, 2, 1);
}

void guest_dev_enable_ring(struct guest_dev *g, unsigned int i, uint16_t size)
{
	struct guest_ring *r = &g->ring[i];

	if (!g->modern) {
		guest_out(g->legacy_base + 14, 2, i);
		size = (uint16_t)guest_in(g->legacy_base + 12, 2);
	}
	if (g->packed)
		ring_make_packed(r, size);
	else
		ring_make(r, size);
	if (g->modern) {
		enable_modern(g, i, &r->setup);
		return;
	}
	if (pci_msix_enabled(g->f))
		guest_out(g->legacy_base + 22, 2, i + 1);
	guest_out(g->legacy_base + 8, 4, r->setup.desc >> 12);
}

uint64_t guest_dev_start(struct guest_dev *g, uint64_t features, unsigned int rings)
{
	uint64_t accepted = features & guest_dev_offered(g);

	g->packed = g->packed && g->modern;
	if (!g->packed)
		accepted &= ~VIRTIO_BIT(VIRTIO_F_RING_PACKED);
	guest_dev_reset(g);
	guest_dev_set_status(g, 1);
	guest_dev_set_status(g, 3);
	guest_dev_accept(g, accepted);
	if (g->modern) {
		guest_dev_set_status(g, 11);
		assert_int_equal(guest_dev_status(g), 11);
	}
	g->rings = rings;
	for (unsigned int i = 0; i < rings; i++)
		guest_dev_enable_ring(g, i, 64);
	guest_dev_set_status(g, g->modern ? 15 : 7);
	return accepted;
}

void guest_dev_kick(struct guest_dev *g, unsigned int i)
{
	if (g->modern)
		guest_store(g->modern_base + NOTIFY + 4 * i, 2, i);
	else
		guest_out(g->legacy_base + 16, 2, i);
}

static uint64_t legacy_config_base(struct guest_dev *g)
{
	return g->legacy_base + (pci_msix_enabled(g->f) ? 24 : 20);
}

uint64_t guest_dev_config(struct guest_dev *g, unsigned int offset, unsigned int size)
{
	if (g->modern)
		return guest_load(g->modern_base + DEVICE + offset, size);
	return guest_in(legacy_config_base(g) + offset, size);
}

void guest_dev_write_config(struct guest_dev *g, unsigned int offset, unsigned int size, uint64_t value)
{
	if (g->modern)
		guest_store(g->modern_base + DEVICE + offset, size, value);
	else
		guest_out(legacy_config_base(g) + offset, size, value);
}
