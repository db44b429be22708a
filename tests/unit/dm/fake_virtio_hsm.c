/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for hsm.c: keeps the eventfds that are registered and counts the interrupts. */
#include "dm/fake_virtio_hsm.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dm/patience.h"
#include "hsm.h"
#include "vm.h"

#define DATA_MAX	64u
#define EVENTS_MAX	64u
#define IRQFDS_MAX	16u

bool fake_no_ioeventfd;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int msi[DATA_MAX];
static bool low[64];
static struct hsm_ioeventfd events[EVENTS_MAX];
static unsigned int event_count;
static struct {
	bool used;
	int fd;
	uint64_t data;
} irqfds[IRQFDS_MAX];

void fake_hsm_reset(void)
{
	pthread_mutex_lock(&lock);
	memset(msi, 0, sizeof(msi));
	memset(low, 0, sizeof(low));
	memset(irqfds, 0, sizeof(irqfds));
	event_count = 0;
	fake_no_ioeventfd = false;
	pthread_mutex_unlock(&lock);
}

unsigned int fake_msi_count(uint32_t data)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = data < DATA_MAX ? msi[data] : 0;
	pthread_mutex_unlock(&lock);
	return n;
}

bool fake_msi_wait(uint32_t data, unsigned int n)
{
	return BECOMES(fake_msi_count(data) >= n);
}

bool fake_line_is_low(unsigned int gsi)
{
	bool is;

	pthread_mutex_lock(&lock);
	is = gsi < 64 && low[gsi];
	pthread_mutex_unlock(&lock);
	return is;
}

unsigned int fake_ioeventfd_count(void)
{
	return event_count;
}

bool fake_ioeventfd_write(bool is_port, uint64_t addr, unsigned int len, uint64_t value)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < event_count && !found; i++) {
		const struct hsm_ioeventfd *e = &events[i];

		found = e->is_port == is_port && e->addr == addr && e->len >= len &&
			(!e->has_match || e->match == value);
		if (found)
			(void)eventfd_write(e->fd, 1);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* --- hsm.h, as far as virtio and PCI call it ---------------------------------------------------------- */

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	if (addr != FAKE_MSI_ADDR || data >= DATA_MAX)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	msi[data]++;
	pthread_mutex_unlock(&lock);
	return 0;
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	pthread_mutex_lock(&lock);
	if (gsi < 64)
		low[gsi] = op == HSM_LINE_LOW;
	pthread_mutex_unlock(&lock);
	return 0;
}

int hsm_ioeventfd_assign(const struct hsm_ioeventfd *e)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (fake_no_ioeventfd)
		err = -ENOTTY;
	else if (event_count == EVENTS_MAX)
		err = -ENOMEM;
	else
		events[event_count++] = *e;
	pthread_mutex_unlock(&lock);
	return err;
}

int hsm_ioeventfd_deassign(const struct hsm_ioeventfd *e)
{
	int err = -ENOENT;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < event_count; i++) {
		if (events[i].fd != e->fd)
			continue;
		events[i] = events[--event_count];
		err = 0;
		break;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

/* As the module does: what the descriptor has been told before is an interrupt at once. */
int hsm_irqfd_assign(int fd, uint64_t addr, uint64_t data)
{
	struct pollfd told = { .fd = fd, .events = POLLIN };
	int err = -EINVAL;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < IRQFDS_MAX && addr == FAKE_MSI_ADDR; i++) {
		if (irqfds[i].used)
			continue;
		irqfds[i].used = true;
		irqfds[i].fd = fd;
		irqfds[i].data = data;
		if (poll(&told, 1, 0) == 1 && data < DATA_MAX)
			msi[data]++;
		err = 0;
		break;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

int hsm_irqfd_deassign(int fd)
{
	int err = -ENOENT;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < IRQFDS_MAX && err; i++) {
		if (!irqfds[i].used || irqfds[i].fd != fd)
			continue;
		irqfds[i].used = false;
		err = 0;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

bool fake_irqfd(int fd, uint64_t *data)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < IRQFDS_MAX && !found; i++) {
		found = irqfds[i].used && irqfds[i].fd == fd;
		if (found)
			*data = irqfds[i].data;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* --- vm.h ---------------------------------------------------------------------------------------------- */

unsigned int vm_vcpu_count(void)
{
	return FAKE_VCPUS;
}
