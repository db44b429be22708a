/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts that the kernel raises for a queue (vhost): an irqfd carries a fixed message, so it is made anew whenever
 * the driver changes the queue's vector or that entry of the MSI-X table. While no message can be sent (masked, INTx,
 * an HSM without irqfds) we watch the descriptor ourselves, and the PCI core keeps what is pending.
 */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

static void on_call(int fd, unsigned int events, void *arg)
{
	struct virtio_pci_call *c = arg;
	struct virtio_dev *v = c->queue->dev;

	(void)events;
	worker_consume(fd);
	v->interrupt(v, __atomic_load_n(&c->queue->vector, __ATOMIC_RELAXED), VIRTIO_ISR_QUEUE);
}

static void drop_irqfd(struct virtio_pci *p, struct virtio_pci_call *c)
{
	int err = c->is_irqfd ? hsm_irqfd_deassign(c->fd) : 0;

	if (err)
		log_warn("%s: cannot take back an irqfd: %s", p->name, strerror(-err));
	c->is_irqfd = false;
}

static void update(struct virtio_pci *p, struct virtio_pci_call *c)
{
	uint16_t vector = __atomic_load_n(&c->queue->vector, __ATOMIC_RELAXED);
	uint64_t addr;
	uint32_t data;
	bool is_open = pci_msix_enabled(p->f) && vector != VIRTIO_NO_VECTOR && pci_msix_get(p->f, vector, &addr, &data);

	if (c->is_irqfd && is_open && c->addr == addr && c->data == data)
		return;
	drop_irqfd(p, c);
	if (is_open) {
		c->is_irqfd = hsm_irqfd_assign(c->fd, addr, data) == 0;
		c->addr = addr;
		c->data = data;
	}
	if (loop_mod(c->watch, c->is_irqfd ? 0 : LOOP_READ) != 0)
		log_err("%s: cannot watch for interrupts", p->name);
}

void virtio_pci_set_call(struct virtio_pci *p, unsigned int i, int fd)
{
	struct virtio_pci_call *c = &p->calls[i];

	if (c->queue) {
		drop_irqfd(p, c);
		loop_del(c->watch);
	}
	*c = (struct virtio_pci_call){ .fd = fd };
	if (fd < 0)
		return;
	c->queue = &p->virtio.queues[i];
	c->watch = loop_add(fd, 0, on_call, c);
	if (!c->watch) {
		log_err("%s: cannot watch for interrupts: %s", p->name, strerror(errno));
		c->queue = NULL;
		return;
	}
	update(p, c);
}

void virtio_pci_vector_changed(struct virtio_pci *p, unsigned int i)
{
	if (p->calls[i].queue)
		update(p, &p->calls[i]);
}
