/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages come in on the loop thread. Stopping takes a while, so it is a state: a timer looks again and again who is
 * still there, and whoever asked gets the answer at the end. A device model is asked synchronously, for some seconds
 * at most; none of ours asks acrnd anything meanwhile.
 */
#include "ctl/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/server.h"
#include "ctl/service.h"
#include "ctl/timers.h"
#include "log.h"
#include "loop.h"

#define SECOND		1000000000ull
#define LOOK_AGAIN	(SECOND / 5)
#define STOP_SECONDS	20
#define ASK_SECONDS	5
#define WAITING		4	/* who may wait for the same stop */

static struct {
	struct daemon_places places;
	struct vms_vm vm[VMS_MAX];
	loop_handle begin;	/* timer: the kept VMs are due */
	loop_handle alarm;	/* timer: the next of the list is due */
	loop_handle look;	/* timer: who is still there? */
	uint64_t deadline;	/* of the stop under way, 0: none */
	bool ends;		/* the loop ends behind it */
	uint64_t waiting[WAITING];
	unsigned int waiters;
} d;

static int find_all(void)
{
	int count = vms_find(&d.places.vms, d.vm);

	if (count < 0)
		log_err("the VMs cannot be listed: %s", strerror(-count));
	return count;
}

static bool runs(const struct vms_vm *vm)
{
	return vm->socket[0] != '\0';
}

/* 0 or -1, as answers are. */
static int32_t ask(const struct vms_vm *vm, uint32_t id, int32_t force)
{
	struct mngr_message m = { .id = id, .data.stop.force = force };
	int err = client_ask(vm->socket, &m, ASK_SECONDS);

	if (err)
		log_warn("%s does not answer: %s", vm->name, strerror(-err));
	else if (m.data.err)
		log_warn("%s refuses", vm->name);
	return err || m.data.err ? -1 : 0;
}

/* --- start --- */

static void start(const struct vms_vm *vm)
{
	if (service_begin("start", vm) == 0)
		log_info("%s is started", vm->name);
	else
		log_err("%s cannot be started", vm->name);
}

static void on_begin(uint64_t count, void *arg)
{
	int n = find_all();

	(void)count;
	(void)arg;
	for (int i = 0; i < n && !d.deadline; i++) {
		if (d.vm[i].has_script && !d.vm[i].has_conf && !runs(&d.vm[i]))
			start(&d.vm[i]);
	}
}

/* --- timers: a VM that is off is started, one that sleeps is woken up --- */

static void wake(const char *name)
{
	int n = find_all();

	for (int i = 0; i < n; i++) {
		if (strcmp(d.vm[i].name, name) != 0)
			continue;
		if (d.vm[i].state == VMS_SUSPENDED)
			ask(&d.vm[i], MNGR_RESUME, 0);
		else if (!runs(&d.vm[i]))
			start(&d.vm[i]);
		return;
	}
	log_warn("a timer of %s is due, and there is no such VM", name);
}

static void set_alarm(void)
{
	int64_t at = timers_next(), now = (int64_t)time(NULL);

	if (at < 0)
		loop_timer_set(d.alarm, 0, 0);
	else
		loop_timer_set(d.alarm, loop_now_ns() + 1 + (at > now ? (uint64_t)(at - now) * SECOND : 0), 0);
}

static void on_alarm(uint64_t count, void *arg)
{
	char name[TIMERS_NAME_MAX + 1];

	(void)count;
	(void)arg;
	while (timers_take(time(NULL), name))
		wake(name);
	set_alarm();
}

static int32_t set_timer(const struct mngr_message *m)
{
	char name[sizeof(m->data.timer.name) + 1] = "";
	int err;

	memcpy(name, m->data.timer.name, sizeof(m->data.timer.name));
	err = vms_is_name(name) ? timers_set(name, m->data.timer.at) : -EINVAL;
	if (err)
		log_warn("a timer for \"%s\" cannot be set: %s", name, strerror(-err));
	set_alarm();
	return err ? -1 : 0;
}

/* --- stop --- */

static void stop_ended(int32_t err)
{
	d.deadline = 0;
	loop_timer_set(d.look, 0, 0);
	for (unsigned int i = 0; i < d.waiters; i++)
		server_answer(d.waiting[i], MNGR_ALL_STOP, err);
	d.waiters = 0;
	if (d.ends)
		loop_stop();
}

static void on_look(uint64_t count, void *arg)
{
	int n = find_all(), left = 0;

	(void)count;
	(void)arg;
	for (int i = 0; i < n; i++)
		left += runs(&d.vm[i]);
	if (left == 0) {
		stop_ended(0);
	} else if (loop_now_ns() >= d.deadline) {
		log_warn("%d VMs still run", left);
		stop_ended(-1);
	}
}

static void stop_all(int32_t force, uint32_t seconds)
{
	uint64_t deadline = loop_now_ns() + (seconds && seconds < STOP_SECONDS ? seconds : STOP_SECONDS) * SECOND;
	int n = find_all();

	for (int i = 0; i < n; i++) {
		if (runs(&d.vm[i]))
			ask(&d.vm[i], MNGR_STOP, force);
	}
	d.deadline = deadline;
	loop_timer_set(d.look, loop_now_ns() + 1, LOOK_AGAIN);
}

void daemon_end(void)
{
	d.ends = true;
	stop_all(0, 0);
}

/* --- messages --- */

static int32_t ask_all(enum mngr_id id, bool (*wanted)(const struct vms_vm *vm))
{
	int n = find_all();
	int32_t err = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		if (wanted(&d.vm[i]))
			err |= ask(&d.vm[i], id, 0);
	}
	return err;
}

static bool sleeps(const struct vms_vm *vm)
{
	return vm->state == VMS_SUSPENDED;
}

/* Why the machine woke up; 0 when there is nobody who would know. */
static uint64_t wakeup_reason(void)
{
	struct mngr_message m = { .id = MNGR_WAKEUP_REASON };
	char path[108];

	if (!vms_find_socket(&d.places.vms, MNGR_LIFE_CYCLE, path) || client_ask(path, &m, ASK_SECONDS) != 0)
		return 0;
	return m.data.reason;
}

static enum server_verdict answer(struct mngr_message *m, int32_t err)
{
	memset(&m->data, 0, sizeof(m->data));
	m->data.err = err;
	return SERVER_ANSWER;
}

static enum server_verdict handle(struct mngr_message *m, uint64_t peer)
{
	switch (m->id) {
	case MNGR_TIMER:
		return answer(m, set_timer(m));
	case MNGR_REASON:
		answer(m, 0);
		m->data.reason = wakeup_reason();
		return SERVER_ANSWER;
	case MNGR_NOTIFY:
		log_info("a VM's state is now %d", m->data.state);
		return answer(m, 0);
	case MNGR_ALL_STOP:
		if (d.waiters == WAITING)
			return answer(m, -1);
		d.waiting[d.waiters++] = peer;
		stop_all(m->data.stop.force, m->data.stop.timeout);
		return SERVER_LATER;
	case MNGR_ALL_RESUME:
		return answer(m, ask_all(MNGR_RESUME, sleeps));
	case MNGR_ALL_SUSPEND:
		return answer(m, ask_all(MNGR_SUSPEND, runs));
	default:
		return SERVER_IGNORE;
	}
}

int daemon_init(const struct daemon_places *places, unsigned int delay)
{
	char path[256];
	int err;

	d.places = *places;
	d.deadline = 0;
	d.ends = false;
	d.waiters = 0;
	d.begin = loop_add_timer(on_begin, NULL);
	d.alarm = loop_add_timer(on_alarm, NULL);
	d.look = loop_add_timer(on_look, NULL);
	if (!d.begin || !d.alarm || !d.look)
		return -errno;
	err = timers_read(places->timers ? places->timers : TIMERS_FILE);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/" MNGR_DAEMON "%d" MNGR_SUFFIX,
		 places->vms.sockets ? places->vms.sockets : MNGR_DIR, (int)getpid());
	err = server_init(path, handle);
	if (err) {
		log_err("%s: %s", path, strerror(-err));
		return err;
	}
	set_alarm();
	return loop_timer_set(d.begin, loop_now_ns() + 1 + delay * SECOND, 0);
}

void daemon_exit(void)
{
	server_exit();
	loop_del(d.begin);
	loop_del(d.alarm);
	loop_del(d.look);
}
