/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * {"command":"destroy"|"blkrescan"|"register_vm_event_client","arguments":"…"} is answered by {"ack":0} or
 * {"ack":-1}. The socket is for its owner and group only. A command ends at a newline, a NUL, or where a
 * packet ends.
 */
#include "monitor.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/chardev.h"
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "log.h"
#include "loop.h"
#include "monitor_json.h"
#include "vm.h"

#define EVENT_KINDS	3
#define SECOND_NS	1000000000ull

static struct {
	struct chardev *chardev;
	char line[1024];
	size_t len;
	bool registered;
	uint64_t last_ns[EVENT_KINDS];

	pthread_mutex_t rtc_lock;
	loop_handle rtc_timer;
	bool rtc_pending;
	int64_t rtc_last, rtc_delta;
} mon = { .rtc_lock = PTHREAD_MUTEX_INITIALIZER };

static int destroy(const char *arguments)
{
	(void)arguments;
	if (config.rtvm)
		return -EPERM;
	vm_request(VM_POWEROFF);
	return 0;
}

int monitor_rescan(const char *arguments)
{
	char *end;
	unsigned long slot = strtoul(arguments, &end, 10);
	struct pci_func *f = slot < 32 ? pci_func_find(0, (unsigned int)slot, 0) : NULL;
	struct dm_device *d = f ? device_of(f) : NULL;

	if (end == arguments || *end != ',' || !d || !d->class->rescan)
		return -EINVAL;
	return d->class->rescan(d, end + 1);
}

static int register_client(const char *arguments)
{
	(void)arguments;
	mon.registered = true;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *arguments);
} commands[] = {
	{ "destroy", destroy },
	{ "blkrescan", monitor_rescan },
	{ "register_vm_event_client", register_client },
};

static void say(const char *text)
{
	if (chardev_write(mon.chardev, text, strlen(text)) < strlen(text))
		log_warn("the client of the command socket does not read its answers");
}

static void run_line(const char *line, size_t len)
{
	struct monitor_command c;
	int err = -EINVAL;

	if (monitor_json_parse(line, len, &c)) {
		for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
			if (strcmp(commands[i].name, c.command) == 0)
				err = commands[i].run(c.arguments);
		}
	}
	say(err ? "{\"ack\":-1}\n" : "{\"ack\":0}\n");
}

static void on_input(void *arg, const uint8_t *buf, size_t len)
{
	(void)arg;
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n' || buf[i] == 0) {
			if (mon.len)
				run_line(mon.line, mon.len);
			mon.len = 0;
		} else if (mon.len < sizeof(mon.line)) {
			mon.line[mon.len++] = (char)buf[i];
		}
	}
	/* A whole object without a newline is a command, too. */
	if (mon.len && mon.line[mon.len - 1] == '}') {
		run_line(mon.line, mon.len);
		mon.len = 0;
	}
}

static void on_connected(void *arg, bool is_connected)
{
	(void)arg;
	(void)is_connected;
	mon.len = 0;
	mon.registered = false;
}

void monitor_event(uint32_t type)
{
	uint64_t now = loop_now_ns();
	char text[64];

	if (!mon.chardev || !mon.registered || type >= EVENT_KINDS)
		return;
	if (mon.last_ns[type] && now - mon.last_ns[type] < SECOND_NS)
		return;
	mon.last_ns[type] = now;
	snprintf(text, sizeof(text), "{\"vm_event\":%u}\n", type);
	say(text);
}

void monitor_rtc_changed(int64_t last_time, int64_t delta)
{
	pthread_mutex_lock(&mon.rtc_lock);
	if (!mon.rtc_pending) {
		mon.rtc_last = last_time;
		mon.rtc_delta = 0;
	}
	mon.rtc_pending = true;
	mon.rtc_delta += delta;
	loop_timer_set(mon.rtc_timer, loop_now_ns() + SECOND_NS, 0);	/* nothing without a client's socket */
	pthread_mutex_unlock(&mon.rtc_lock);
}

static void on_rtc_timer(uint64_t count, void *arg)
{
	char text[128];

	(void)count;
	(void)arg;
	pthread_mutex_lock(&mon.rtc_lock);
	snprintf(text, sizeof(text), "{\"vm_event\":0,\"delta_time\":%lld,\"last_time\":%lld}\n",
		 (long long)mon.rtc_delta, (long long)mon.rtc_last);
	mon.rtc_pending = false;
	pthread_mutex_unlock(&mon.rtc_lock);
	if (mon.registered)
		say(text);
}

int monitor_init(void)
{
	const struct chardev_client client = { .input = on_input, .connected = on_connected };
	char spec[256];

	if (!config.cmd_monitor)
		return 0;
	if ((size_t)snprintf(spec, sizeof(spec), "socket:%s", config.cmd_monitor) >= sizeof(spec))
		return -ENAMETOOLONG;
	mon.chardev = chardev_open(spec, "--cmd_monitor", &client);
	if (!mon.chardev)
		return -EINVAL;
	mon.rtc_timer = loop_add_timer(on_rtc_timer, NULL);
	return mon.rtc_timer ? 0 : -errno;
}

void monitor_exit(void)
{
	loop_del(mon.rtc_timer);
	mon.rtc_timer = 0;
	chardev_close(mon.chardev);
	mon.chardev = NULL;
	mon.registered = false;
}
