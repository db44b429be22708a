/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both virtio PCI interfaces share: identity, BARs, interrupts, and the eventfds that carry notifications past
 * us. A notification we do get (no ioeventfd, or the window) signals the same eventfd, so a worker cannot tell.
 */
#include "virtio/virtio_pci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"

#define VIRTIO_VENDOR		0x1AF4
#define WINDOWS_VENDOR		0x108E	/* --windows: so that drivers signed for it bind */
#define MODERN_DEVICE		0x1040
#define MODERN_SUBDEVICE	0x1100	/* not below 0x40: that would say "transitional" */
#define LEGACY_QUEUE_NOTIFY	16u
#define LEGACY_HEADER_MAX	24u

static struct virtio_pci *of(struct virtio_dev *v)
{
	return v->transport;
}

struct virtio_queue *virtio_pci_selected(struct virtio_pci *p)
{
	return p->queue_select < p->virtio.queue_count ? &p->virtio.queues[p->queue_select] : NULL;
}

uint16_t virtio_pci_vector(const struct virtio_pci *p, uint64_t written)
{
	return written < p->f->msix_count ? (uint16_t)written : VIRTIO_NO_VECTOR;
}

void virtio_pci_notify(struct virtio_pci *p, uint64_t queue)
{
	if (queue < p->virtio.queue_count)
		virtio_kick(&p->virtio.queues[queue]);
}

/* --- interrupts ------------------------------------------------------------------------------------- */

static void interrupt(struct virtio_dev *v, uint16_t vector, uint8_t isr)
{
	struct virtio_pci *p = of(v);

	if (pci_msix_enabled(p->f)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_post(p->f, vector);
		return;
	}
	pthread_mutex_lock(&p->isr_lock);
	p->isr |= isr;
	if (pci_msi_enabled(p->f))
		pci_msi_post(p->f, 0);
	else
		pci_intx_set(p->f, true);
	pthread_mutex_unlock(&p->isr_lock);
}

uint8_t virtio_pci_read_isr(struct virtio_pci *p)
{
	uint8_t isr;

	pthread_mutex_lock(&p->isr_lock);
	isr = p->isr;
	p->isr = 0;
	pci_intx_set(p->f, false);
	pthread_mutex_unlock(&p->isr_lock);
	return isr;
}

/* --- notifications that do not come to us ----------------------------------------------------------- */

/* Where a write would notify queue i now; false if nowhere. */
static bool kick_wanted(const struct virtio_pci *p, unsigned int i, struct hsm_ioeventfd *e)
{
	int bar = p->uses_legacy ? VIRTIO_PCI_BAR_LEGACY : VIRTIO_PCI_BAR_MODERN;

	if (p->virtio.queues[i].vq.state == VQ_OFF || !p->bar[bar].enabled)
		return false;
	*e = (struct hsm_ioeventfd){ .fd = p->virtio.queues[i].kick_fd, .len = 2 };
	if (p->uses_legacy) {
		e->is_port = true;
		e->has_match = true;
		e->match = i;
		e->addr = p->bar[bar].addr + LEGACY_QUEUE_NOTIFY;
	} else {
		e->addr = p->bar[bar].addr + VIRTIO_PCI_NOTIFY + i * VIRTIO_PCI_NOTIFY_MULTIPLIER;
	}
	return true;
}

static void kick_update(struct virtio_dev *v, unsigned int i)
{
	struct virtio_pci *p = of(v);
	struct virtio_pci_kick *k = &p->kicks[i];
	struct hsm_ioeventfd want;
	bool wanted = kick_wanted(p, i, &want);
	int err;

	if (k->active && wanted && k->reg.addr == want.addr && k->reg.is_port == want.is_port)
		return;
	if (k->active) {
		err = hsm_ioeventfd_deassign(&k->reg);
		if (err)
			log_warn("%s: queue %u: cannot take back its ioeventfd: %s", p->name, i, strerror(-err));
		k->active = false;
	}
	if (!wanted)
		return;
	err = hsm_ioeventfd_assign(&want);
	if (err)
		log_debug("%s: queue %u is notified the slow way: %s", p->name, i, strerror(-err));
	k->active = err == 0;
	k->reg = want;
}

/* --- what the PCI core calls ------------------------------------------------------------------------ */

static void bar_moved(struct pci_func *f, int bar, uint64_t addr, bool enabled)
{
	struct virtio_pci *p = f->priv;

	pthread_mutex_lock(&p->virtio.lock);
	p->bar[bar].addr = addr;
	p->bar[bar].enabled = enabled;
	for (unsigned int i = 0; i < p->virtio.queue_count; i++)
		kick_update(&p->virtio, i);
	pthread_mutex_unlock(&p->virtio.lock);
}

static uint64_t bar_read(struct pci_func *f, int bar, uint64_t off, unsigned int size)
{
	struct virtio_pci *p = f->priv;
	uint64_t value;

	pthread_mutex_lock(&p->virtio.lock);
	value = bar == VIRTIO_PCI_BAR_LEGACY ? virtio_legacy_read(p, off, size) : virtio_modern_read(p, off, size);
	pthread_mutex_unlock(&p->virtio.lock);
	return value;
}

static void bar_write(struct pci_func *f, int bar, uint64_t off, unsigned int size, uint64_t value)
{
	struct virtio_pci *p = f->priv;

	pthread_mutex_lock(&p->virtio.lock);
	if (bar == VIRTIO_PCI_BAR_LEGACY)
		virtio_legacy_write(p, off, size, value);
	else
		virtio_modern_write(p, off, size, value);
	pthread_mutex_unlock(&p->virtio.lock);
}

static bool cfg_read(struct pci_func *f, unsigned int off, unsigned int size, uint32_t *value)
{
	struct virtio_pci *p = f->priv;
	bool ours;

	pthread_mutex_lock(&p->virtio.lock);
	ours = virtio_modern_window_read(p, off, size, value);
	pthread_mutex_unlock(&p->virtio.lock);
	return ours;
}

static bool cfg_write(struct pci_func *f, unsigned int off, unsigned int size, uint32_t value)
{
	struct virtio_pci *p = f->priv;
	bool ours;

	pthread_mutex_lock(&p->virtio.lock);
	ours = virtio_modern_window_write(p, off, size, value);
	pthread_mutex_unlock(&p->virtio.lock);
	return ours;
}

/* An entry of the table, or all that depends on its switches, may have changed. */
static void msix_changed(struct pci_func *f, int vec)
{
	struct virtio_pci *p = f->priv;

	pthread_mutex_lock(&p->virtio.lock);
	for (unsigned int i = 0; i < p->virtio.queue_count; i++)
		if (vec < 0 || p->virtio.queues[i].vector == vec)
			virtio_pci_vector_changed(p, i);
	pthread_mutex_unlock(&p->virtio.lock);
}

static const struct pci_ops ops = {
	.msix_changed = msix_changed,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
	.cfg_read = cfg_read,
	.cfg_write = cfg_write,
};

/* --- polling ------------------------------------------------------------------------------------------ */

static void on_poll(uint64_t count, void *arg)
{
	struct virtio_pci *p = arg;

	(void)count;
	for (unsigned int i = 0; i < p->virtio.queue_count; i++) {
		struct virtio_queue *q = &p->virtio.queues[i];
		bool has_work;

		pthread_mutex_lock(&q->lock);
		has_work = vq_has_work(&q->vq);
		pthread_mutex_unlock(&q->lock);
		if (has_work)
			virtio_kick(q);
	}
}

static int start_polling(struct virtio_pci *p)
{
	if (!config.virtio_poll_ns)
		return 0;
	p->virtio.polled = true;
	p->poll = loop_add_timer(on_poll, p);
	if (!p->poll)
		return -errno;
	return loop_timer_set(p->poll, loop_now_ns() + config.virtio_poll_ns, config.virtio_poll_ns);
}

/* --- life ------------------------------------------------------------------------------------------- */

static int add_interrupts(struct virtio_pci *p)
{
	int err;

	if (config.virtio_msi)
		err = pci_add_msi(p->f, 1);
	else
		err = pci_add_msix(p->f, VIRTIO_PCI_BAR_MSIX, p->virtio.queue_count + 1);
	return err ? err : pci_add_intx(p->f);
}

static int add_bars(struct virtio_pci *p)
{
	int err = 0;

	if (!p->modern_only)
		err = pci_add_bar(p->f, VIRTIO_PCI_BAR_LEGACY, PCI_BAR_IO, LEGACY_HEADER_MAX + p->virtio.config_size);
	if (!err && p->modern)
		err = pci_add_bar(p->f, VIRTIO_PCI_BAR_MODERN, PCI_BAR_MEM64, VIRTIO_PCI_MODERN_SIZE);
	if (!err)
		err = add_interrupts(p);
	if (!err && p->modern)
		err = virtio_modern_add_caps(p);
	return err;
}

static void set_identity(struct virtio_pci *p, const struct virtio_pci_ids *ids)
{
	/* The transitional device ids of virtio 1.2, 4.1.2: they do not follow the virtio ids. */
	static const uint16_t device[] = {
		[VIRTIO_ID_NET] = 0x1000,
		[VIRTIO_ID_BLOCK] = 0x1001,
		[VIRTIO_ID_BALLOON] = 0x1002,
		[VIRTIO_ID_CONSOLE] = 0x1003,
		[VIRTIO_ID_RNG] = 0x1005,
	};
	bool signed_for_windows = ids->virtio_id == VIRTIO_ID_NET || ids->virtio_id == VIRTIO_ID_BLOCK;

	pci_set_ids(p->f, &(struct pci_ids){
		.vendor = VIRTIO_VENDOR,
		.device = ids->modern_only ? (uint16_t)(MODERN_DEVICE + ids->virtio_id) : device[ids->virtio_id],
		.revision = ids->modern_only,
		.class = ids->class,
		.subclass = ids->subclass,
		.subvendor = config.windows && signed_for_windows ? WINDOWS_VENDOR : VIRTIO_VENDOR,
		.subdevice = ids->modern_only ? MODERN_SUBDEVICE : ids->virtio_id,
	});
}

int virtio_pci_init(struct virtio_pci *p, struct pci_func *f, const struct virtio_pci_ids *ids,
		    const struct virtio_params *params, bool modern)
{
	int err;

	p->f = f;
	p->modern = modern;
	p->modern_only = ids->modern_only;
	snprintf(p->name, sizeof(p->name), "%s@%u:%u", f->name, f->dev, f->fn);
	p->virtio.name = p->name;
	err = virtio_init(&p->virtio, params);
	if (err) {
		log_err("%s: cannot make the queues: %s", p->name, strerror(-err));
		return err;
	}
	if (!modern)
		p->virtio.offered &= ~(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_RING_PACKED));
	p->virtio.transport = p;
	p->virtio.interrupt = interrupt;
	p->virtio.queue_changed = kick_update;
	pthread_mutex_init(&p->isr_lock, NULL);
	set_identity(p, ids);
	pci_set_ops(f, &ops, p);
	err = add_bars(p);
	if (err) {
		log_err("%s: no room for its registers: %s", p->name, strerror(-err));
		virtio_pci_exit(p);
		return err;
	}
	err = start_polling(p);
	if (err) {
		log_err("%s: cannot poll: %s", p->name, strerror(-err));
		virtio_pci_exit(p);
	}
	return err;
}

void virtio_pci_write_status(struct virtio_pci *p, uint8_t value)
{
	virtio_set_status(&p->virtio, value);
	if (value != 0)
		return;
	p->queue_select = 0;
	p->device_feature_select = p->driver_feature_select = 0;
	p->uses_legacy = false;
	(void)virtio_pci_read_isr(p);
}

void virtio_pci_reset(struct virtio_pci *p)
{
	pthread_mutex_lock(&p->virtio.lock);
	virtio_pci_write_status(p, 0);
	pthread_mutex_unlock(&p->virtio.lock);
}

void virtio_pci_exit(struct virtio_pci *p)
{
	loop_del(p->poll);	/* waits for the one that runs */
	p->poll = 0;
	virtio_pci_reset(p);
	pthread_mutex_destroy(&p->isr_lock);
	virtio_exit(&p->virtio);
}

char *virtio_pci_options(const char *opts, bool *modern)
{
	static const char word[] = "disable-modern";
	const size_t len = sizeof(word) - 1;
	char *copy = strdup(opts);
	char *at = copy;

	*modern = true;
	while (copy && (at = strstr(at, word)) != NULL) {
		bool starts = at == copy || at[-1] == ',';
		bool ends = at[len] == ',' || at[len] == '\0';

		if (!starts || !ends) {
			at++;
			continue;
		}
		*modern = false;
		if (at[len] == ',')
			memmove(at, at + len + 1, strlen(at + len + 1) + 1);
		else
			*(at == copy ? at : at - 1) = '\0';
		if (*at == '\0')
			break;
	}
	return copy;
}
