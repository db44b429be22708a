/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The watchdog i6300esb: two timers one after the other; the end of the first raises an interrupt, if it is to, the end
 * of the second resets the machine. A register is written after 0x80 and 0x86 were written to the reload register,
 * once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "log.h"
#include "loop.h"
#include "vm.h"

#define CFG_CONFIG	0x60u
#define CONFIG_INT_TYPE	0x03u
#define CONFIG_INT_NONE	0x03u
#define CONFIG_FAST	0x04u	/* counts at 1 MHz instead of 1 kHz */
#define CONFIG_NO_RESET	0x20u
#define CFG_LOCK	0x68u
#define LOCK_LOCKED	0x01u
#define LOCK_ENABLE	0x02u

#define REG_TIMER1	0x0u
#define REG_TIMER2	0x4u
#define REG_GINTSR	0x8u
#define REG_RELOAD	0xcu
#define RELOAD_KICK	0x100u
#define RELOAD_TIMEOUT	0x200u
#define TIMER_MASK	0xfffffu
#define UNLOCK_1	0x80u
#define UNLOCK_2	0x86u

struct wdt {
	struct pci_func *f;
	pthread_mutex_t lock;	/* all below */
	loop_handle timer;
	uint32_t preload[2];
	unsigned int stage;	/* 0: off, 1, 2 */
	unsigned int unlock;	/* how much of the sequence came */
	bool interrupted;
	bool timed_out;		/* survives a reset: that is how a guest learns why it was */
};

static uint32_t cfg_config(const struct wdt *w)
{
	return w->f->cfg[CFG_CONFIG];
}

static uint64_t stage_ns(const struct wdt *w)
{
	uint64_t ticks = (uint64_t)w->preload[w->stage - 1] + 1;

	return ticks * 1000000000u / (cfg_config(w) & CONFIG_FAST ? 1u << 20 : 1u << 10);
}

/* With the lock. */
static void restart(struct wdt *w)
{
	w->stage = w->f->cfg[CFG_LOCK] & LOCK_ENABLE ? 1 : 0;
	(void)loop_timer_set(w->timer, w->stage ? loop_now_ns() + stage_ns(w) : 0, 0);
}

static void on_timer(uint64_t count, void *arg)
{
	struct wdt *w = arg;
	bool resets = false;

	(void)count;
	pthread_mutex_lock(&w->lock);
	if (w->stage == 1) {
		w->interrupted = true;
		pci_intx_set(w->f, (cfg_config(w) & CONFIG_INT_TYPE) == 0);
		w->stage = 2;
		(void)loop_timer_set(w->timer, loop_now_ns() + stage_ns(w), 0);
	} else if (w->stage == 2) {
		w->stage = 0;
		w->timed_out = true;
		resets = !(cfg_config(w) & CONFIG_NO_RESET);
	}
	pthread_mutex_unlock(&w->lock);
	if (!resets)
		return;
	log_guest("the watchdog bites: the guest is reset");
	api_event("watchdog", NULL);
	vm_request(VM_RESET);
}

/* --- registers --------------------------------------------------------------------------------------- */

static uint64_t bar_read(struct pci_func *f, int bar, uint64_t off, unsigned int size)
{
	struct wdt *w = f->priv;
	uint64_t value = 0;

	(void)bar;
	(void)size;
	pthread_mutex_lock(&w->lock);
	if (off == REG_TIMER1 || off == REG_TIMER2)
		value = w->preload[off / 4];
	else if (off == REG_GINTSR)
		value = w->interrupted;
	else if (off == REG_RELOAD)
		value = w->timed_out ? RELOAD_TIMEOUT : 0;
	pthread_mutex_unlock(&w->lock);
	return value;
}

static void reload(struct wdt *w, uint32_t value)
{
	if (value & RELOAD_TIMEOUT)
		w->timed_out = false;
	if ((value & RELOAD_KICK) && w->stage)
		restart(w);
}

/* With the lock. */
static void write_register(struct wdt *w, uint64_t off, uint32_t value)
{
	bool unlocked = w->unlock == 2;

	if (off == REG_GINTSR) {	/* has no lock */
		w->interrupted = w->interrupted && !(value & 1);
		if (!w->interrupted)
			pci_intx_set(w->f, false);
		return;
	}
	if (off == REG_RELOAD && !unlocked) {
		w->unlock = value == UNLOCK_1 ? 1 : value == UNLOCK_2 && w->unlock == 1 ? 2 : 0;
		return;
	}
	w->unlock = 0;
	if (!unlocked)
		return;
	if (off == REG_TIMER1 || off == REG_TIMER2)
		w->preload[off / 4] = value & TIMER_MASK;
	else if (off == REG_RELOAD)
		reload(w, value);
}

static void bar_write(struct pci_func *f, int bar, uint64_t off, unsigned int size, uint64_t value)
{
	struct wdt *w = f->priv;

	(void)bar;
	(void)size;
	pthread_mutex_lock(&w->lock);
	write_register(w, off, (uint32_t)value);
	pthread_mutex_unlock(&w->lock);
}

/* The lock register, and once it is locked nothing in it changes until a reset. */
static bool cfg_write(struct pci_func *f, unsigned int off, unsigned int size, uint32_t value)
{
	struct wdt *w = f->priv;

	if (off > CFG_LOCK || off + size <= CFG_LOCK)
		return false;
	pthread_mutex_lock(&w->lock);
	value >>= 8 * (CFG_LOCK - off);
	if (!(f->cfg[CFG_LOCK] & LOCK_LOCKED)) {
		bool was_on = f->cfg[CFG_LOCK] & LOCK_ENABLE;

		f->cfg[CFG_LOCK] = value & (LOCK_LOCKED | LOCK_ENABLE);
		if (was_on != !!(value & LOCK_ENABLE))
			restart(w);
	}
	pthread_mutex_unlock(&w->lock);
	return true;
}

static const struct pci_ops ops = { .bar_read = bar_read, .bar_write = bar_write, .cfg_write = cfg_write };

/* --- life -------------------------------------------------------------------------------------------- */

static void wdt_reset(struct dm_device *d)
{
	struct wdt *w = d->state;

	pthread_mutex_lock(&w->lock);
	w->preload[0] = w->preload[1] = TIMER_MASK;
	w->unlock = 0;
	w->interrupted = false;
	restart(w);
	pthread_mutex_unlock(&w->lock);
}

static void wdt_destroy(struct dm_device *d)
{
	struct wdt *w = d->state;

	loop_del(w->timer);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static int make_function(struct wdt *w)
{
	int err = pci_add_bar(w->f, 0, PCI_BAR_MEM32, 16);

	pci_set_ids(w->f, &(struct pci_ids){ .vendor = 0x8086, .device = 0x25ab, .class = 0x08, .subclass = 0x80 });
	pci_set_ops(w->f, &ops, w);
	pci_cfg_writable(w->f, CFG_CONFIG, 1);
	if (!err)
		err = pci_add_intx(w->f);
	if (err)
		return err;
	w->timer = loop_add_timer(on_timer, w);
	return w->timer ? 0 : -errno;
}

static int wdt_init(struct dm_device *d, const char *opts)
{
	struct wdt *w = calloc(1, sizeof(*w));
	int err;

	if (*opts) {
		log_err("wdt-i6300esb: option '%s' is unknown", opts);
		free(w);
		return -EINVAL;
	}
	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	w->f = d->pci;
	d->state = w;
	err = make_function(w);
	if (err)
		wdt_destroy(d);
	else
		wdt_reset(d);
	return err;
}

static const struct dm_device_class wdt = {
	.name = "wdt-i6300esb",
	.help = "  a watchdog that resets a guest which does not feed it",
	.kind = DM_PCI,
	.init = wdt_init,
	.destroy = wdt_destroy,
	.reset = wdt_reset,
};
DM_DEVICE(wdt);
