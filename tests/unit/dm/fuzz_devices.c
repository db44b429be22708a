/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input is a driver without manners: its first byte picks a device, the rest are accesses to the registers of that
 * device, to its config space, to memory, notifications, and things that the host does. The devices are the real ones,
 * with their threads. An op that sets a ring up as it should be keeps the way to the requests short. After each input
 * the device is reset, which has to return.
 */
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "bus/io.h"
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dm/fake_evdev.h"
#include "dm/fake_hsm_memory.h"
#include "loop.h"
#include "memory.h"
#include "virtio/net.h"
#include "virtio/virtio.h"
#include "vm.h"
#include "vm_event.h"

#define MEMORY		(1u << 20)
#define FIRST_SLOT	3u
#define RING_SIZE	8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int wire[2] = { -1, -1 };

void vm_request(enum vm_request what)
{
	(void)what;
}

int vm_pause(void)
{
	return 0;
}

int vm_resume(void)
{
	return 0;
}

bool vm_is_paused(void)
{
	return false;
}

void vm_event_ask_poweroff(void)
{
}

static int wire_init(struct dm_device *d, const char *opts)
{
	struct virtio_net_setup s = { .mac = { 2, 1, 2, 3, 4, 5 }, .modern = true };
	struct netdev n = { .queues = 1 };
	int err;

	(void)opts;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, wire) != 0)
		abort();
	n.fd[0] = wire[1];
	err = virtio_net_create(d, &n, &s);
	d->class = device_class_find("virtio-net");
	return err;
}

static const struct dm_device_class net_wire = { .name = "wire", .kind = DM_PCI, .init = wire_init };
DM_DEVICE(net_wire);

static char disk[64], ring_disk[64];

static struct {
	const char *class;
	const char *opts;
	struct pci_func *f;
} devices[] = {
	{ "virtio-blk", disk, NULL },	   { "virtio-blk", ring_disk, NULL },	   { "wire", "", NULL },
	{ "virtio-rnd", "", NULL },	   { "virtio-input", "/dev/input/event0", NULL },
	{ "wdt-i6300esb", "", NULL },	   { "pvpanic", "", NULL },
	{ "virtio-console", "@file:a=/dev/null,file:b=/dev/null", NULL },
	{ "virtio-balloon", "", NULL },
};

#define DEVICES	(sizeof(devices) / sizeof(devices[0]))

static void make_devices(void)
{
	int fd = memfd_create("disk", 0), fd2 = memfd_create("disk2", 0);

	fake_hsm_memory.can_take_back = fake_hsm_memory.can_fetch = true;
	if (memory_init(MEMORY, false) != 0 || memory_map_guest(true) != 0 || loop_init() != 0)
		abort();
	if (ftruncate(fd, 1 << 16) != 0 || ftruncate(fd2, 1 << 16) != 0)
		abort();
	snprintf(disk, sizeof(disk), "/proc/self/fd/%d,discard", fd);
	snprintf(ring_disk, sizeof(ring_disk), "/proc/self/fd/%d,writeback,aio=io_uring", fd2);
	for (unsigned int i = 0; i < DEVICES; i++) {
		const struct dm_device_class *class = device_class_find(devices[i].class);

		devices[i].f = pci_func_create(0, FIRST_SLOT + i, 0, devices[i].class);
		if (!devices[i].f || device_create(class, devices[i].f, devices[i].opts) != 0)
			abort();
	}
	pci_start();
}

/* --- the input --------------------------------------------------------------------------------------- */

struct input_data {
	const uint8_t *at;
	size_t left;
};

static uint64_t take(struct input_data *in, size_t len)
{
	uint64_t v = 0;

	if (len > in->left)
		len = in->left;
	memcpy(&v, in->at, len);
	in->at += len;
	in->left -= len;
	return v;
}

static uint64_t access_bus(enum io_space space, uint64_t addr, unsigned int size, bool is_write, uint64_t value)
{
	struct io_access a = {
		.space = space, .is_write = is_write, .size = (uint8_t)size, .addr = addr, .value = value,
	};

	io_dispatch(&a);
	return a.value;
}

static uint64_t bar(const struct pci_func *f, unsigned int i)
{
	uint16_t bdf = PCI_BDF(f->bus, f->dev, f->fn);
	uint32_t low = pci_cfg_read(bdf, 0x10 + 4 * i, 4);

	if (low & 1)
		return low & ~3u;
	return (low & ~15u) | ((low & 6) == 4 ? (uint64_t)pci_cfg_read(bdf, 0x14 + 4 * i, 4) << 32 : 0);
}

static void touch_bar(const struct pci_func *f, struct input_data *in)
{
	uint8_t how = (uint8_t)take(in, 1);
	unsigned int i = how % 5, size = 1u << (how >> 4 & 3);
	uint64_t off = take(in, 2) & 0x3fff, value = how & 0x40 ? take(in, size) : 0;
	bool is_port = pci_cfg_read(PCI_BDF(0, f->dev, 0), 0x10 + 4 * i, 1) & 1;

	if (is_port && size == 8)
		size = 4;
	off &= is_port ? 63 : ~(uint64_t)(size - 1);
	(void)access_bus(is_port ? IO_PORT : IO_MMIO, bar(f, i) + off, size, how & 0x40, value);
}

static void touch_config(const struct pci_func *f, struct input_data *in)
{
	unsigned int reg = (unsigned int)take(in, 1), size = 1u << (reg & 1);

	/* The BARs stay where the next input looks for them. */
	if (reg < 0x10 || reg >= 0x28)
		pci_cfg_write(PCI_BDF(0, f->dev, 0), reg & ~(size - 1), size, (uint32_t)take(in, size));
}

/* Queue i as a driver makes it, in a page of its own. */
static void make_ring(uint64_t base, unsigned int i)
{
	uint64_t at = 0x1000ull * (i + 1);

	(void)access_bus(IO_MMIO, base + 22, 2, true, i);
	(void)access_bus(IO_MMIO, base + 24, 2, true, RING_SIZE);
	(void)access_bus(IO_MMIO, base + 32, 4, true, at);
	(void)access_bus(IO_MMIO, base + 40, 4, true, at + 0x200);
	(void)access_bus(IO_MMIO, base + 48, 4, true, at + 0x400);
	(void)access_bus(IO_MMIO, base + 28, 2, true, 1);
}

static void start_driver(const struct pci_func *f, struct input_data *in)
{
	uint64_t base = bar(f, 4), features;

	(void)access_bus(IO_MMIO, base + 20, 1, true, 0);
	(void)access_bus(IO_MMIO, base + 20, 1, true, 3);
	for (unsigned int half = 0; half < 2; half++) {
		(void)access_bus(IO_MMIO, base, 4, true, half);
		features = access_bus(IO_MMIO, base + 4, 4, false, 0) & ~take(in, 4);
		(void)access_bus(IO_MMIO, base + 8, 4, true, half);
		(void)access_bus(IO_MMIO, base + 12, 4, true, features);
	}
	(void)access_bus(IO_MMIO, base + 20, 1, true, 11);
	for (unsigned int i = 0; i < 6; i++)
		make_ring(base, i);
	(void)access_bus(IO_MMIO, base + 20, 1, true, 15);
}

/* One descriptor of a split ring and its place in the avail ring; addresses stay in memory more often than not. */
static void offer(struct input_data *in)
{
	uint64_t ring = 0x1000ull * (1 + take(in, 1) % 6);
	unsigned int i = (unsigned int)take(in, 1) % RING_SIZE;
	uint8_t *page = mem_ptr(ring, 0x1000);
	uint64_t addr = take(in, 3);
	uint32_t len = (uint32_t)take(in, 2);
	uint16_t flags = (uint16_t)take(in, 1), next = (uint16_t)take(in, 1), idx;

	memcpy(page + 16 * i, &addr, 8);
	memcpy(page + 16 * i + 8, &len, 4);
	memcpy(page + 16 * i + 12, &flags, 2);
	memcpy(page + 16 * i + 14, &next, 2);
	if (next & 0x80)
		return;
	memcpy(&idx, page + 0x202, 2);
	memcpy(page + 0x204 + 2 * (idx % RING_SIZE), &(uint16_t){ (uint16_t)i }, 2);
	__atomic_store_n((uint16_t *)(page + 0x202), (uint16_t)(idx + 1), __ATOMIC_RELEASE);
}

static void write_memory(struct input_data *in)
{
	uint64_t addr = take(in, 3) % (MEMORY - 256);
	size_t len = take(in, 1) % 64;

	if (len > in->left)
		len = in->left;
	(void)mem_write(addr, in->at, len);
	in->at += len;
	in->left -= len;
}

static void host_acts(struct input_data *in)
{
	uint8_t frame[128] = { 0 };
	struct input_event e = { .type = (uint16_t)take(in, 1), .code = (uint16_t)take(in, 1) };

	for (unsigned int i = 0; i < sizeof(frame); i += 8)
		memcpy(frame + i, &(uint64_t){ take(in, 8) }, 8);
	if (write(wire[0], frame, sizeof(frame)) < 0 || write(fake_evdev_host, &e, sizeof(e)) < 0)
		while (read(wire[0], frame, sizeof(frame)) > 0)
			;
}

static void step(const struct pci_func *f, struct input_data *in)
{
	switch (take(in, 1) & 7) {
	case 0:
	case 1:
		touch_bar(f, in);
		break;
	case 2:
		touch_config(f, in);
		break;
	case 3:
		start_driver(f, in);
		break;
	case 4:
	case 5:
		offer(in);
		break;
	case 6:
		write_memory(in);
		(void)access_bus(IO_MMIO, bar(f, 4) + 0x3000 + 4 * (take(in, 1) % 6), 2, true, 0);
		break;
	default:
		host_acts(in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_data in = { data, size };
	const struct pci_func *f;

	if (!devices[0].f)
		make_devices();
	memset(mem_ptr(0, MEMORY), 0, 0x8000);
	device_reset_all();
	f = devices[take(&in, 1) % DEVICES].f;
	pci_cfg_write(PCI_BDF(0, f->dev, 0), 4, 2, 7);
	while (in.left > 0)
		step(f, &in);
	return 0;
}
