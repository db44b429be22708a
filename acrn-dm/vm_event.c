/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event ring (a page that the hypervisor writes: its geometry is ours, its contents are copied) and the
 * signals. An event only tells what happened: what follows from it, a reset or the end, the hypervisor asks for as the
 * guest would, at a port. So nothing is lost where there is no ring.
 */
#include "vm_event.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api.h"
#include "dev/pm.h"
#include "hsm.h"
#include "log.h"
#include "loop.h"
#include "monitor.h"
#include "ring.h"
#include "vm.h"

#define ELE_SIZE	((uint32_t)sizeof(struct acrn_vm_event))
#define RING_SIZE	(RING_ELEMENTS(ELE_SIZE) * ELE_SIZE)
#define PATIENCE_NS	15000000000ull

static struct {
	struct acrn_sbuf *ring;
	uint32_t head;
	int event_fd, signal_fd;
	loop_handle event_watch, signal_watch, patience;
	bool asked;
} ev = { .event_fd = -1, .signal_fd = -1 };

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
}

int vm_event_block_signals(void)
{
	sigset_t set;

	signal_set(&set);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? 0 : -errno;
}

static void on_patience(uint64_t count, void *arg)
{
	(void)count;
	(void)arg;
	log_warn("the guest did not power off in time: it is switched off");
	vm_request(VM_POWEROFF);
}

void vm_event_ask_poweroff(void)
{
	if (ev.asked) {
		log_notice("asked again to power off: the guest is switched off");
		vm_request(VM_POWEROFF);
		return;
	}
	ev.asked = true;
	if (!pm_press_power_button())
		log_notice("the guest does not listen to the power button (yet)");
	loop_timer_set(ev.patience, loop_now_ns() + PATIENCE_NS, 0);
}

static void on_signal(int fd, unsigned int events, void *arg)
{
	struct signalfd_siginfo si;

	(void)events;
	(void)arg;
	if (read(fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGTERM)
		vm_event_ask_poweroff();
	else
		vm_request(VM_POWEROFF);
}

static void serve(const struct acrn_vm_event *e)
{
	switch (e->type) {
	case ACRN_VM_EVENT_TRIPLE_FAULT:
		api_event("triple-fault", NULL);
		log_guest("a triple fault");
		monitor_event(e->type);
		break;
	case ACRN_VM_EVENT_POWEROFF:
		log_guest("the guest cannot go on");
		monitor_event(e->type);
		break;
	case ACRN_VM_EVENT_RTC_CHANGE:
		break;		/* the RTC is ours; only a hypervisor's own would tell */
	default:
		log_guest("VM event of unknown type %u", e->type);
		break;
	}
}

static void on_ring(int fd, unsigned int events, void *arg)
{
	const uint8_t *elements = (const uint8_t *)(ev.ring + 1);
	struct acrn_vm_event e;
	uint64_t count;
	uint32_t tail;

	(void)events;
	(void)arg;
	if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	tail = __atomic_load_n(&ev.ring->tail, __ATOMIC_ACQUIRE);
	if (tail >= RING_SIZE || tail % sizeof(e))
		return;
	while (ev.head != tail) {
		memcpy(&e, elements + ev.head, sizeof(e));
		ev.head = (ev.head + (uint32_t)sizeof(e)) % RING_SIZE;
		__atomic_store_n(&ev.ring->head, ev.head, __ATOMIC_RELEASE);
		serve(&e);
	}
}

static int init_ring(void)
{
	int err;

	ev.ring = ring_create(ELE_SIZE);
	if (!ev.ring)
		return -errno;
	ev.head = 0;
	ev.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ev.event_fd < 0)
		return -errno;
	err = hsm_vm_events_setup(ev.ring, ev.event_fd);
	if (err) {
		log_debug("no VM events from this hypervisor: %s", strerror(-err));
		return 0;
	}
	ev.event_watch = loop_add(ev.event_fd, LOOP_READ, on_ring, NULL);
	return ev.event_watch ? 0 : -errno;
}

static int init_signals(void)
{
	sigset_t set;

	signal_set(&set);
	ev.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ev.signal_fd < 0)
		return -errno;
	ev.signal_watch = loop_add(ev.signal_fd, LOOP_READ, on_signal, NULL);
	ev.patience = loop_add_timer(on_patience, NULL);
	return ev.signal_watch && ev.patience ? 0 : -errno;
}

int vm_event_init(void)
{
	int err = init_signals();

	return err ? err : init_ring();
}

void vm_event_exit(void)
{
	loop_del(ev.event_watch);
	loop_del(ev.signal_watch);
	loop_del(ev.patience);
	if (ev.event_fd >= 0)
		close(ev.event_fd);
	if (ev.signal_fd >= 0)
		close(ev.signal_fd);
	ring_destroy(ev.ring);
	memset(&ev, 0, sizeof(ev));
	ev.event_fd = ev.signal_fd = -1;
}
