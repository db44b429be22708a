/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The power management registers of the FADT: PM1a status, enable and control, and the SMI command port that
 * switches ACPI mode on and off. S5 powers off; S3 is not offered by our tables and not obeyed.
 */
#include "dev/pm.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "hsm.h"
#include "log.h"
#include "loop.h"
#include "vm.h"

#define STS_POWER_BUTTON	0x0100u
#define STS_WAKE		0x8000u
#define CNT_SCI_EN		0x0001u
#define CNT_SLP_TYP(c)		((c) >> 10 & 7u)
#define CNT_SLP_EN		0x2000u
#define TIMER_HZ		3579545ull
#define TIMER_MASK		0xffffffu
#define SECOND_NS		1000000000ull

static struct {
	pthread_mutex_t lock;
	_Atomic uint16_t block;	/* changed by config writes, which are serialised */
	uint16_t status, enable, control;
	bool sci;
} pm = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static void update_sci(void)
{
	bool level = (pm.status & pm.enable) != 0 && (pm.control & CNT_SCI_EN);

	if (level != pm.sci) {
		pm.sci = level;
		hsm_set_irqline(PM_SCI, level ? HSM_LINE_HIGH : HSM_LINE_LOW);
	}
}

bool pm_press_power_button(void)
{
	bool heard;

	pthread_mutex_lock(&pm.lock);
	heard = (pm.enable & STS_POWER_BUTTON) && (pm.control & CNT_SCI_EN);
	pm.status |= STS_POWER_BUTTON;
	update_sci();
	pthread_mutex_unlock(&pm.lock);
	return heard;
}

static void write_control(uint16_t value)
{
	/* SCI_EN belongs to the firmware's side, the SMI port here. */
	pm.control = (uint16_t)((value & ~(CNT_SLP_EN | CNT_SCI_EN)) | (pm.control & CNT_SCI_EN));
	if (!(value & CNT_SLP_EN))
		return;
	if (CNT_SLP_TYP(value) == PM_SLP_TYP_S5)
		vm_request(VM_POWEROFF);
	else
		log_guest("the guest asks for sleep type %u, which is not there", CNT_SLP_TYP(value));
}

static void pm1_io(void *arg, uint64_t offset, struct io_access *a)
{
	uint16_t *reg = offset < 2 ? &pm.status : offset < 4 ? &pm.enable : &pm.control;
	unsigned int shift = offset & 1 ? 8 : 0;
	uint16_t mask = (uint16_t)(a->size == 1 ? 0xff << shift : 0xffff), value;

	(void)arg;
	pthread_mutex_lock(&pm.lock);
	if (a->is_write) {
		value = (uint16_t)((a->value << shift) & mask);
		if (reg == &pm.status)
			pm.status &= (uint16_t)~value;	/* write one to clear */
		else if (reg == &pm.enable)
			pm.enable = (uint16_t)((pm.enable & ~mask) | value);
		else
			write_control((uint16_t)((pm.control & ~mask) | value));
		update_sci();
	} else {
		a->value = *reg >> shift;
	}
	pthread_mutex_unlock(&pm.lock);
}

/* Machine q35 has its registers elsewhere; this one stays, without the two before it. */
static void control_io(void *arg, uint64_t offset, struct io_access *a)
{
	pm1_io(arg, offset + PM_CONTROL_PORT - PM_EVENT_PORT, a);
}

static uint32_t timer(void)
{
	uint64_t ns = loop_now_ns();

	return (uint32_t)(ns / SECOND_NS * TIMER_HZ + ns % SECOND_NS * TIMER_HZ / SECOND_NS) & TIMER_MASK;
}

/* The block of q35: both halves of a wide access to status and enable, and the timer in one piece. */
static void block_io(void *arg, uint64_t offset, struct io_access *a)
{
	struct io_access half = *a;

	if (offset >= PM_BLOCK_TIMER && offset < PM_BLOCK_TIMER + 4) {
		if (!a->is_write)
			a->value = timer() >> 8 * (offset - PM_BLOCK_TIMER);
		return;
	}
	if (offset + (a->size > 2 ? 2 : a->size) > 6) {
		if (!a->is_write)
			a->value = 0;
		return;
	}
	half.size = a->size > 2 ? 2 : a->size;
	pm1_io(arg, offset, &half);
	if (!a->is_write)
		a->value = half.value & (half.size == 1 ? 0xff : 0xffff);
	if (a->size < 4 || offset >= 4)
		return;
	half.value = a->value >> 16;
	pm1_io(arg, offset + 2, &half);
	if (!a->is_write)
		a->value |= (half.value & 0xffff) << 16;
}

void pm_move_block(uint16_t port, bool enabled)
{
	struct io_range r = { "pm", IO_PORT, port, PM_BLOCK_SIZE, 4, block_io, NULL };
	uint16_t old = atomic_exchange(&pm.block, 0);

	if (old)
		io_unregister(IO_PORT, old);
	if (enabled && port && io_register(&r) == 0)
		atomic_store(&pm.block, port);
}

uint16_t pm_block(void)
{
	return atomic_load(&pm.block);
}

static void smi_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	if (!a->is_write) {
		a->value = 0;
		return;
	}
	pthread_mutex_lock(&pm.lock);
	if (a->value == PM_SMI_ACPI_ENABLE)
		pm.control |= CNT_SCI_EN;
	else if (a->value == PM_SMI_ACPI_DISABLE)
		pm.control &= (uint16_t)~CNT_SCI_EN;
	update_sci();
	pthread_mutex_unlock(&pm.lock);
}

static void pm_reset(struct dm_device *d)
{
	(void)d;
	pthread_mutex_lock(&pm.lock);
	pm.status = pm.enable = pm.control = 0;
	update_sci();
	pthread_mutex_unlock(&pm.lock);
}

static int pm_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)opts;
	pm_reset(d);
	if (config.machine == MACHINE_Q35)
		err = io_register(&(struct io_range){ "pm1", IO_PORT, PM_CONTROL_PORT, 2, 2, control_io, NULL });
	else
		err = io_register(&(struct io_range){ "pm1", IO_PORT, PM_EVENT_PORT, 6, 2, pm1_io, NULL });
	return err ? err : io_register(&(struct io_range){ "smi", IO_PORT, PM_SMI_PORT, 1, 1, smi_io, NULL });
}

static void pm_destroy(struct dm_device *d)
{
	(void)d;
	pm_move_block(0, false);
	io_unregister(IO_PORT, PM_EVENT_PORT);
	io_unregister(IO_PORT, PM_CONTROL_PORT);
	io_unregister(IO_PORT, PM_SMI_PORT);
}

static const struct dm_device_class pm_class = {
	.name = "pm",
	.kind = DM_PLATFORM,
	.order = 50,
	.init = pm_init,
	.destroy = pm_destroy,
	.reset = pm_reset,
};
DM_DEVICE(pm_class);
