/* SPDX-License-Identifier: BSD-3-Clause */
/* Two folders are read, and every socket found is asked for its state. */
#include "ctl/vms.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"

#define ANSWER_SECONDS	2

struct list {
	struct vms_vm *vm;
	int count;
};

bool vms_is_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > VMS_NAME_MAX || text[0] == '.' || text[0] == '-')
		return false;
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p == '/' || *p == 0x7f)
			return false;
	}
	return true;
}

static struct vms_vm *get(struct list *l, const char *name)
{
	for (int i = 0; i < l->count; i++) {
		if (strcmp(l->vm[i].name, name) == 0)
			return &l->vm[i];
	}
	if (l->count == VMS_MAX)
		return NULL;
	l->vm[l->count] = (struct vms_vm){ .state = VMS_STOPPED };
	strcpy(l->vm[l->count].name, name);
	return &l->vm[l->count++];
}

/* The part of a file's name before its ending, if it has that ending and the part is a VM's name. */
static bool has_ending(const char *file, const char *ending, char *name)
{
	size_t len = strlen(file), end = strlen(ending);

	if (len <= end || len - end > VMS_NAME_MAX || strcmp(file + len - end, ending) != 0)
		return false;
	memcpy(name, file, len - end);
	name[len - end] = 0;
	return vms_is_name(name);
}

static int add_file(struct list *l, const char *dir, const char *file)
{
	char name[VMS_NAME_MAX + 1];
	bool is_conf = has_ending(file, ".conf", name);
	struct vms_vm *vm;

	(void)dir;
	if (!is_conf && !has_ending(file, ".sh", name))
		return 0;
	vm = get(l, name);
	if (!vm)
		return -E2BIG;
	if (is_conf)
		vm->has_conf = true;
	else
		vm->has_script = true;
	return 0;
}

static enum vms_state ask(const char *path)
{
	struct mngr_message m = { .id = MNGR_QUERY };

	if (client_ask(path, &m, ANSWER_SECONDS) != 0)
		return VMS_UNKNOWN;
	if (m.data.state == MNGR_RUNNING)
		return VMS_STARTED;
	return m.data.state == MNGR_SUSPENDED ? VMS_SUSPENDED : VMS_UNKNOWN;
}

/* Takes NAME and PID out of NAME.monitor.PID.socket; the name may hold dots of its own. */
static bool split(const char *file, char *name, int *pid)
{
	const char *middle = NULL;
	char *end;
	long n;

	for (const char *p = strstr(file, MNGR_MIDDLE); p; p = strstr(p + 1, MNGR_MIDDLE))
		middle = p;
	if (!middle || middle == file || middle - file > VMS_NAME_MAX)
		return false;
	memcpy(name, file, (size_t)(middle - file));
	name[middle - file] = 0;
	n = strtol(middle + strlen(MNGR_MIDDLE), &end, 10);
	*pid = (int)n;
	return n > 0 && n < 0x7fffffff && strcmp(end, MNGR_SUFFIX) == 0 && vms_is_name(name);
}

static int add_socket(struct list *l, const char *dir, const char *file)
{
	char name[VMS_NAME_MAX + 1], path[sizeof(l->vm->socket)];
	struct vms_vm *vm;
	int pid;

	if (!split(file, name, &pid) || (kill(pid, 0) != 0 && errno == ESRCH))
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return -ENAMETOOLONG;
	vm = get(l, name);
	if (!vm)
		return -E2BIG;
	strcpy(vm->socket, path);
	vm->pid = pid;
	vm->state = ask(path);
	return 0;
}

static int read_folder(struct list *l, const char *dir, int (*add)(struct list *, const char *, const char *))
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (e = readdir(d)))
		err = add(l, dir, e->d_name);
	closedir(d);
	return err;
}

bool vms_find_socket(const struct vms_places *places, const char *prefix, char *path)
{
	const char *dir = places && places->sockets ? places->sockets : MNGR_DIR;
	size_t len = strlen(prefix);
	bool found = false;
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		char *end;
		long pid = strncmp(e->d_name, prefix, len) == 0 ? strtol(e->d_name + len, &end, 10) : 0;

		found = pid > 0 && pid < 0x7fffffff && strcmp(end, MNGR_SUFFIX) == 0 &&
			(kill((pid_t)pid, 0) == 0 || errno == EPERM) &&
			(size_t)snprintf(path, 108, "%s/%s", dir, e->d_name) < 108;
	}
	if (d)
		closedir(d);
	return found;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vms_vm *)a)->name, ((const struct vms_vm *)b)->name);
}

int vms_find(const struct vms_places *places, struct vms_vm *vm)
{
	struct list l = { .vm = vm };
	int err = read_folder(&l, places && places->conf ? places->conf : VMS_CONF_DIR, add_file);

	if (!err)
		err = read_folder(&l, places && places->sockets ? places->sockets : MNGR_DIR, add_socket);
	if (err)
		return err;
	qsort(vm, (size_t)l.count, sizeof(*vm), by_name);
	return l.count;
}

const char *vms_state_name(const struct vms_vm *vm)
{
	static const char *const names[] = {
		[VMS_STOPPED] = "stopped",
		[VMS_STARTED] = "started",
		[VMS_SUSPENDED] = "suspended",
		[VMS_UNKNOWN] = "unknown",
	};

	return vm->state == VMS_STARTED && !vm->has_conf && !vm->has_script ? "untracked" : names[vm->state];
}
