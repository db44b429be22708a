/* SPDX-License-Identifier: BSD-3-Clause */
/* What acrn-dm does at each message; ctl/server.c listens. A message of unknown number is not answered. */
#include "manager.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "ctl/server.h"
#include "log.h"
#include "monitor.h"
#include "vm.h"
#include "vm_event.h"

static int32_t stop(const struct mngr_message *m)
{
	if (m->data.stop.force)
		vm_request(VM_POWEROFF);
	else
		vm_event_ask_poweroff();
	return 0;
}

static int32_t query(const struct mngr_message *m)
{
	(void)m;
	return MNGR_RUNNING;
}

static int32_t rescan(const struct mngr_message *m)
{
	char text[sizeof(m->data.devargs) + 1] = "";

	memcpy(text, m->data.devargs, sizeof(m->data.devargs));
	return monitor_rescan(text);
}

/* Suspend to RAM is not built: the sender is told so. */
static int32_t refuse(const struct mngr_message *m)
{
	log_notice("the manager asks to %s, which is not built", m->id == MNGR_SUSPEND ? "suspend" : "resume");
	return -1;
}

static int32_t (*const handlers[])(const struct mngr_message *m) = {
	[MNGR_STOP] = stop,
	[MNGR_SUSPEND] = refuse,
	[MNGR_RESUME] = refuse,
	[MNGR_QUERY] = query,
	[MNGR_BLKRESCAN] = rescan,
};

static enum server_verdict handle(struct mngr_message *m, uint64_t peer)
{
	int32_t err;

	(void)peer;
	if (m->id >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[m->id])
		return SERVER_IGNORE;
	err = handlers[m->id](m);
	memset(&m->data, 0, sizeof(m->data));
	m->data.err = err;
	return SERVER_ANSWER;
}

int manager_init(const char *dir)
{
	char path[256];
	int err;

	if (access(dir, W_OK | X_OK) < 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s" MNGR_MIDDLE "%d" MNGR_SUFFIX, dir, config.vm_name, (int)getpid());
	err = server_init(path, handle);
	if (err)
		log_err("the manager socket in %s: %s", dir, strerror(-err));
	return err;
}

void manager_exit(void)
{
	server_exit();
}
