/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The legacy interface: port registers at BAR 0 (virtio 1.2, 4.1.4.10). There is no FEATURES_OK here, so bits that were
 * not offered are dropped as they are written; a ring starts when its page number is written, before DRIVER_OK.
 * What a newcomer would get wrong: the device configuration begins at 20, or at 24 while MSI-X is enabled.
 */
#include "virtio/virtio_pci.h"

#include <string.h>

enum {
	REG_DEVICE_FEATURES = 0,
	REG_DRIVER_FEATURES = 4,
	REG_QUEUE_PFN = 8,
	REG_QUEUE_SIZE = 12,
	REG_QUEUE_SELECT = 14,
	REG_QUEUE_NOTIFY = 16,
	REG_STATUS = 18,
	REG_ISR = 19,
	REG_CONFIG_VECTOR = 20,
	REG_QUEUE_VECTOR = 22,
	CONFIG_WITHOUT_MSIX = 20,
	CONFIG_WITH_MSIX = 24,
};

#define RING_PAGE	4096ull

static unsigned int config_offset(const struct virtio_pci *p)
{
	return pci_msix_enabled(p->f) ? CONFIG_WITH_MSIX : CONFIG_WITHOUT_MSIX;
}

static uint64_t queue_read(struct virtio_pci *p, uint64_t off)
{
	const struct virtio_queue *q = virtio_pci_selected(p);

	if (!q)
		return off == REG_QUEUE_VECTOR ? VIRTIO_NO_VECTOR : 0;
	switch (off) {
	case REG_QUEUE_PFN:
		return q->enabled ? (uint32_t)(q->setup.desc / RING_PAGE) : 0;
	case REG_QUEUE_SIZE:
		return q->size_max;
	default:
		return q->vector;
	}
}

uint64_t virtio_legacy_read(struct virtio_pci *p, uint64_t off, unsigned int size)
{
	struct virtio_dev *v = &p->virtio;
	uint64_t value = 0;

	if (off >= config_offset(p)) {
		virtio_config_read(v, off - config_offset(p), &value, size);
		return value;
	}
	switch (off) {
	case REG_DEVICE_FEATURES:
		return (uint32_t)v->offered;
	case REG_DRIVER_FEATURES:
		return (uint32_t)v->accepted;
	case REG_QUEUE_PFN:
	case REG_QUEUE_SIZE:
	case REG_QUEUE_VECTOR:
		return queue_read(p, off);
	case REG_QUEUE_SELECT:
		return p->queue_select;
	case REG_STATUS:
		return virtio_status(v);
	case REG_ISR:
		return virtio_pci_read_isr(p);
	case REG_CONFIG_VECTOR:
		return v->config_vector;
	default:
		return 0;
	}
}

/* The one block of a legacy ring: descriptors, avail, and used on the next page (virtio 1.2, 2.7.2). */
static void start_queue(struct virtio_pci *p, uint32_t pfn)
{
	struct virtio_queue *q = virtio_pci_selected(p);
	uint64_t n;

	if (!q)
		return;
	if (q->enabled)
		virtio_queue_stop(&p->virtio, q->index);
	if (pfn == 0)
		return;
	n = q->size_max;
	q->setup.size = q->size_max;
	q->setup.desc = pfn * RING_PAGE;
	q->setup.avail = q->setup.desc + n * sizeof(struct vring_desc);
	q->setup.used = (q->setup.avail + sizeof(struct vring_avail) + (n + 1) * sizeof(uint16_t) + RING_PAGE - 1) &
			~(RING_PAGE - 1);
	p->uses_legacy = true;
	virtio_queue_start(&p->virtio, q->index);
}

static void queue_vector(struct virtio_pci *p, uint64_t value)
{
	struct virtio_queue *q = virtio_pci_selected(p);

	if (!q)
		return;
	__atomic_store_n(&q->vector, virtio_pci_vector(p, value), __ATOMIC_RELAXED);
	virtio_pci_vector_changed(p, q->index);
}

void virtio_legacy_write(struct virtio_pci *p, uint64_t off, unsigned int size, uint64_t value)
{
	struct virtio_dev *v = &p->virtio;

	if (off >= config_offset(p)) {
		virtio_config_write(v, off - config_offset(p), &value, size);
		return;
	}
	switch (off) {
	case REG_DRIVER_FEATURES:
		virtio_accept(v, 0, (uint32_t)(value & v->offered));
		virtio_accept(v, 1, 0);
		break;
	case REG_QUEUE_PFN:
		start_queue(p, (uint32_t)value);
		break;
	case REG_QUEUE_SELECT:
		p->queue_select = (uint16_t)value;
		break;
	case REG_QUEUE_NOTIFY:
		virtio_pci_notify(p, (uint16_t)value);
		break;
	case REG_STATUS:
		virtio_pci_write_status(p, (uint8_t)value);
		break;
	case REG_CONFIG_VECTOR:
		__atomic_store_n(&v->config_vector, virtio_pci_vector(p, value), __ATOMIC_RELAXED);
		break;
	case REG_QUEUE_VECTOR:
		queue_vector(p, value);
		break;
	default:
		break;
	}
}
