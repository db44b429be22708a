/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 8254 in the machine: ports 0x40..0x43, port 0x61, and channel 0 on GSI 2 (the hypervisor passes that on
 * to IRQ 0 of the 8259). While the HPET is in legacy mode it has the line instead.
 */
#include <errno.h>
#include <pthread.h>

#include "bus/io.h"
#include "dev/device.h"
#include "dev/hpet.h"
#include "dev/pit.h"
#include "hsm.h"
#include "loop.h"

#define MIN_PERIOD_NS	100000u		/* no guest gets more than 10 000 a second out of us */

static struct {
	pthread_mutex_t lock;
	struct pit pit;
	uint8_t port61;		/* bits 1:0 as written */
	loop_handle timer;
} dev = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static void arm(void)
{
	uint64_t period, first = pit_next_rise(&dev.pit, 0, loop_now_ns(), &period);

	if (period && period < MIN_PERIOD_NS)
		period = MIN_PERIOD_NS;
	loop_timer_set(dev.timer, first, period);
}

static void on_timer(uint64_t count, void *arg)
{
	(void)count;
	(void)arg;
	if (!hpet_has_legacy_lines())
		hsm_set_irqline(2, HSM_LINE_PULSE_UP);
}

static void pit_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	pthread_mutex_lock(&dev.lock);
	if (a->is_write) {
		pit_write(&dev.pit, (unsigned int)offset, (uint8_t)a->value, loop_now_ns());
		if (offset == 0 || offset == 3)
			arm();
	} else {
		a->value = pit_read(&dev.pit, (unsigned int)offset, loop_now_ns());
	}
	pthread_mutex_unlock(&dev.lock);
}

/* System control port B: gate and output of channel 2, the refresh toggle. */
static void port61_io(void *arg, uint64_t offset, struct io_access *a)
{
	uint64_t now = loop_now_ns();

	(void)arg;
	(void)offset;
	pthread_mutex_lock(&dev.lock);
	if (a->is_write) {
		dev.port61 = a->value & 3;
		pit_set_gate(&dev.pit, 2, a->value & 1, now);
	} else {
		a->value = dev.port61 | (now / 15085 & 1 ? 0x10 : 0) | (pit_output(&dev.pit, 2, now) ? 0x20 : 0);
	}
	pthread_mutex_unlock(&dev.lock);
}

static void pit_dev_reset(struct dm_device *d)
{
	(void)d;
	pthread_mutex_lock(&dev.lock);
	pit_reset(&dev.pit);
	dev.port61 = 0;
	loop_timer_set(dev.timer, 0, 0);
	pthread_mutex_unlock(&dev.lock);
}

static void pit_dev_destroy(struct dm_device *d)
{
	(void)d;
	io_unregister(IO_PORT, 0x40);
	io_unregister(IO_PORT, 0x61);
	loop_del(dev.timer);
	dev.timer = 0;
}

static int pit_dev_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)opts;
	dev.timer = loop_add_timer(on_timer, NULL);
	if (!dev.timer)
		return -errno;
	pit_dev_reset(d);
	err = io_register(&(struct io_range){ "pit", IO_PORT, 0x40, 4, 1, pit_io, NULL });
	if (!err)
		err = io_register(&(struct io_range){ "port61", IO_PORT, 0x61, 1, 1, port61_io, NULL });
	if (err)
		pit_dev_destroy(d);
	return err;
}

static const struct dm_device_class pit_class = {
	.name = "pit",
	.kind = DM_PLATFORM,
	.order = 30,
	.init = pit_dev_init,
	.destroy = pit_dev_destroy,
	.reset = pit_dev_reset,
};
DM_DEVICE(pit_class);
