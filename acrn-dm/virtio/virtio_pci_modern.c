/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 1.x interface: BAR 4 and the capabilities that describe it (virtio 1.2, 4.1.4). Reads are served from a byte
 * image of struct virtio_pci_common_cfg, so any width works; writes must hit a field with its own width (the 64-bit
 * ring addresses: one half at a time), as 4.1.3.1 demands, and others are ignored.
 */
#include "virtio/virtio_pci.h"

#include <errno.h>
#include <string.h>

enum {
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	CAP_ISR = 3,
	CAP_DEVICE = 4,
	CAP_WINDOW = 5,
};

#define PCI_CAP_VENDOR	0x09

/* virtio 1.2, 4.1.4.3 */
struct common_cfg {
	uint32_t device_feature_select;
	uint32_t device_feature;
	uint32_t driver_feature_select;
	uint32_t driver_feature;
	uint16_t config_vector;
	uint16_t num_queues;
	uint8_t status;
	uint8_t generation;
	uint16_t queue_select;
	uint16_t queue_size;
	uint16_t queue_vector;
	uint16_t queue_enable;
	uint16_t queue_notify_off;
	uint64_t queue_desc;
	uint64_t queue_driver;
	uint64_t queue_device;
};

_Static_assert(sizeof(struct common_cfg) == 56, "virtio 1.2, 4.1.4.3");

/* The body of a capability, from cap_len on; window data follows for CAP_WINDOW, the multiplier for CAP_NOTIFY. */
struct cap_body {
	uint8_t cap_len;
	uint8_t cfg_type;
	uint8_t bar;
	uint8_t id;
	uint8_t padding[2];
	uint32_t offset;
	uint32_t length;
	uint32_t extra;
} __attribute__((packed));

#define CAP_HEADER	2u	/* id and next, before the body */
#define WINDOW_BAR	4u	/* offsets in the capability */
#define WINDOW_OFFSET	8u
#define WINDOW_LENGTH	12u
#define WINDOW_DATA	16u
#define WINDOW_END	20u

static int add_cap(struct virtio_pci *p, uint8_t type, uint32_t offset, uint32_t length, bool has_extra)
{
	struct cap_body body = { .cfg_type = type, .bar = VIRTIO_PCI_BAR_MODERN, .offset = offset, .length = length };
	unsigned int len = has_extra ? sizeof(body) : sizeof(body) - sizeof(body.extra);

	body.cap_len = (uint8_t)(CAP_HEADER + len);
	body.extra = type == CAP_NOTIFY ? VIRTIO_PCI_NOTIFY_MULTIPLIER : 0;
	return pci_add_cap(p->f, PCI_CAP_VENDOR, &body, len);
}

int virtio_modern_add_caps(struct virtio_pci *p)
{
	unsigned int queues = p->virtio.queue_count * VIRTIO_PCI_NOTIFY_MULTIPLIER;
	int window;

	if (add_cap(p, CAP_COMMON, VIRTIO_PCI_COMMON, sizeof(struct common_cfg), false) < 0 ||
	    add_cap(p, CAP_ISR, VIRTIO_PCI_ISR, 1, false) < 0 ||
	    (p->virtio.config_size && add_cap(p, CAP_DEVICE, VIRTIO_PCI_DEVICE, p->virtio.config_size, false) < 0) ||
	    add_cap(p, CAP_NOTIFY, VIRTIO_PCI_NOTIFY, queues, true) < 0)
		return -ENOSPC;
	window = add_cap(p, CAP_WINDOW, 0, 0, true);
	if (window < 0)
		return -ENOSPC;
	p->cfg_cap = (unsigned int)window;
	pci_cfg_writable(p->f, p->cfg_cap + WINDOW_BAR, 1);
	pci_cfg_writable(p->f, p->cfg_cap + WINDOW_OFFSET, 8);
	return 0;
}

static uint32_t feature_half(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static void fill_common(struct virtio_pci *p, struct common_cfg *c)
{
	const struct virtio_dev *v = &p->virtio;
	const struct virtio_queue *q = virtio_pci_selected(p);

	*c = (struct common_cfg){
		.device_feature_select = p->device_feature_select,
		.device_feature = feature_half(v->offered, p->device_feature_select),
		.driver_feature_select = p->driver_feature_select,
		.driver_feature = feature_half(v->accepted, p->driver_feature_select),
		.config_vector = v->config_vector,
		.num_queues = (uint16_t)v->queue_count,
		.status = virtio_status(v),
		.generation = __atomic_load_n(&v->generation, __ATOMIC_SEQ_CST),
		.queue_select = p->queue_select,
		.queue_vector = VIRTIO_NO_VECTOR,
	};
	if (!q)
		return;
	c->queue_size = q->setup.size;
	c->queue_vector = q->vector;
	c->queue_enable = q->enabled;
	c->queue_notify_off = (uint16_t)q->index;
	c->queue_desc = q->setup.desc;
	c->queue_driver = q->setup.avail;
	c->queue_device = q->setup.used;
}

uint64_t virtio_modern_read(struct virtio_pci *p, uint64_t off, unsigned int size)
{
	struct common_cfg c;
	uint64_t value = 0;

	if (off >= VIRTIO_PCI_NOTIFY)
		return 0;
	if (off >= VIRTIO_PCI_DEVICE) {
		virtio_config_read(&p->virtio, off - VIRTIO_PCI_DEVICE, &value, size);
		return value;
	}
	if (off >= VIRTIO_PCI_ISR)
		return off == VIRTIO_PCI_ISR ? virtio_pci_read_isr(p) : 0;
	if (off + size > sizeof(c))
		return 0;
	fill_common(p, &c);
	memcpy(&value, (const uint8_t *)&c + off, size);
	return value;
}

/* Ring geometry of the selected queue: only while it is not enabled (4.1.4.3.2). */
static void write_queue(struct virtio_pci *p, uint64_t off, uint64_t value)
{
	struct virtio_queue *q = virtio_pci_selected(p);
	unsigned int high = off & 4;
	uint64_t *addr;

	if (!q || q->enabled)
		return;
	switch (off & ~4ull) {
	case offsetof(struct common_cfg, queue_desc):
		addr = &q->setup.desc;
		break;
	case offsetof(struct common_cfg, queue_driver):
		addr = &q->setup.avail;
		break;
	default:
		addr = &q->setup.used;
		break;
	}
	if (high)
		*addr = (*addr & 0xffffffffull) | value << 32;
	else
		*addr = (*addr & ~0xffffffffull) | (uint32_t)value;
}

static void write_common32(struct virtio_pci *p, uint64_t off, uint32_t value)
{
	switch (off) {
	case offsetof(struct common_cfg, device_feature_select):
		p->device_feature_select = value;
		break;
	case offsetof(struct common_cfg, driver_feature_select):
		p->driver_feature_select = value;
		break;
	case offsetof(struct common_cfg, driver_feature):
		virtio_accept(&p->virtio, p->driver_feature_select, value);
		break;
	default:
		if (off >= offsetof(struct common_cfg, queue_desc) && off % 4 == 0)
			write_queue(p, off, value);
		break;
	}
}

static void write_queue16(struct virtio_pci *p, uint64_t off, uint16_t value)
{
	struct virtio_queue *q = virtio_pci_selected(p);

	if (!q)
		return;
	switch (off) {
	case offsetof(struct common_cfg, queue_vector):
		__atomic_store_n(&q->vector, virtio_pci_vector(p, value), __ATOMIC_RELAXED);
		virtio_pci_vector_changed(p, q->index);
		break;
	case offsetof(struct common_cfg, queue_size):
		if (!q->enabled)
			q->setup.size = value;
		break;
	case offsetof(struct common_cfg, queue_enable):
		if (value == 1 && !q->enabled) {
			p->uses_legacy = false;
			virtio_queue_enable(&p->virtio, q->index);
		}
		break;
	default:
		break;
	}
}

static void write_common16(struct virtio_pci *p, uint64_t off, uint16_t value)
{
	switch (off) {
	case offsetof(struct common_cfg, queue_select):
		p->queue_select = value;
		break;
	case offsetof(struct common_cfg, config_vector):
		__atomic_store_n(&p->virtio.config_vector, virtio_pci_vector(p, value), __ATOMIC_RELAXED);
		break;
	default:
		write_queue16(p, off, value);
		break;
	}
}

static void write_common(struct virtio_pci *p, uint64_t off, unsigned int size, uint64_t value)
{
	if (off + size > sizeof(struct common_cfg))
		return;
	if (size == 1 && off == offsetof(struct common_cfg, status)) {
		virtio_pci_write_status(p, (uint8_t)value);
	} else if (size == 2) {
		write_common16(p, off, (uint16_t)value);
	} else if (size == 4) {
		write_common32(p, off, (uint32_t)value);
	} else if (size == 8 && off >= offsetof(struct common_cfg, queue_desc) && off % 8 == 0) {
		write_queue(p, off, (uint32_t)value);
		write_queue(p, off + 4, value >> 32);
	}
}

void virtio_modern_write(struct virtio_pci *p, uint64_t off, unsigned int size, uint64_t value)
{
	if (off >= VIRTIO_PCI_NOTIFY)
		virtio_pci_notify(p, (off - VIRTIO_PCI_NOTIFY) / VIRTIO_PCI_NOTIFY_MULTIPLIER);
	else if (off >= VIRTIO_PCI_DEVICE)
		virtio_config_write(&p->virtio, off - VIRTIO_PCI_DEVICE, &value, size);
	else if (off < VIRTIO_PCI_ISR)
		write_common(p, off, size, value);
}

/* --- the window in config space ---------------------------------------------------------------------- */

/* What the driver aims at, if the access is to the data word and the aim is inside BAR 4. */
static bool window_aim(const struct virtio_pci *p, unsigned int off, uint64_t *bar_off, unsigned int *len)
{
	const uint8_t *cap = &p->f->cfg[p->cfg_cap];
	uint32_t offset, length;

	if (!p->cfg_cap || off < p->cfg_cap + WINDOW_DATA || off >= p->cfg_cap + WINDOW_END)
		return false;
	memcpy(&offset, cap + WINDOW_OFFSET, 4);
	memcpy(&length, cap + WINDOW_LENGTH, 4);
	if (cap[WINDOW_BAR] != VIRTIO_PCI_BAR_MODERN || (length != 1 && length != 2 && length != 4) ||
	    offset % length != 0 || offset >= VIRTIO_PCI_MODERN_SIZE || off != p->cfg_cap + WINDOW_DATA)
		length = 0;
	*bar_off = offset;
	*len = length;
	return true;
}

bool virtio_modern_window_read(struct virtio_pci *p, unsigned int off, unsigned int size, uint32_t *value)
{
	uint64_t bar_off;
	unsigned int len;

	if (!window_aim(p, off, &bar_off, &len))
		return false;
	*value = 0;
	if (len == size)
		*value = (uint32_t)virtio_modern_read(p, bar_off, len);
	return true;
}

bool virtio_modern_window_write(struct virtio_pci *p, unsigned int off, unsigned int size, uint32_t value)
{
	uint64_t bar_off;
	unsigned int len;

	if (!window_aim(p, off, &bar_off, &len))
		return false;
	if (len == size)
		virtio_modern_write(p, bar_off, len, value);
	return true;
}
