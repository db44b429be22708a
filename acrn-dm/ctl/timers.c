/* SPDX-License-Identifier: BSD-3-Clause */
/* See timers.h. The file is written anew at each change, beside its place, and renamed. */
#include "ctl/timers.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/vms.h"
#include "log.h"

#define TIMERS	VMS_MAX

struct timer {
	char name[TIMERS_NAME_MAX + 1];
	int64_t at;
};

static struct timer list[TIMERS];
static int count;
static char file[PATH_MAX - 8];

static int write_list(void)
{
	char beside[PATH_MAX];
	FILE *f;
	int bad = 0;

	snprintf(beside, sizeof(beside), "%s.new", file);
	f = fopen(beside, "we");
	if (!f)
		return -errno;
	for (int i = 0; i < count; i++)
		bad |= fprintf(f, "%s\t%" PRId64 "\n", list[i].name, list[i].at) < 0;
	bad |= fflush(f) != 0 || fsync(fileno(f)) < 0;
	if (fclose(f) != 0 || bad || rename(beside, file) < 0) {
		int err = errno;

		unlink(beside);
		return -err;
	}
	return 0;
}

static struct timer *get(const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	if (count == TIMERS)
		return NULL;
	list[count] = (struct timer){ 0 };
	strcpy(list[count].name, name);
	return &list[count++];
}

/* What somebody else made of the file may be anything: such a line is told of, and left out. */
static void read_line(const char *line)
{
	char name[TIMERS_NAME_MAX + 1];
	struct timer *t;
	int64_t at;

	if (sscanf(line, "%15[^\t]\t%" SCNd64, name, &at) != 2 || !vms_is_name(name) || at < 0) {
		log_warn("%s: no timer: %.*s", file, (int)strcspn(line, "\n"), line);
		return;
	}
	t = get(name);
	if (t)
		t->at = at;
}

int timers_read(const char *path)
{
	char line[128];
	FILE *f;

	count = 0;
	if (strlen(path) >= sizeof(file))
		return -ENAMETOOLONG;
	strcpy(file, path);
	f = fopen(file, "re");
	if (!f && errno == ENOENT)
		return 0;
	if (!f) {
		int err = -errno;

		log_err("%s: %s", file, strerror(-err));
		return err;
	}
	while (fgets(line, sizeof(line), f))
		read_line(line);
	fclose(f);
	return 0;
}

int timers_set(const char *name, int64_t at)
{
	struct timer *t = at < 0 ? NULL : get(name);

	if (!t)
		return at < 0 ? -EINVAL : -ENOSPC;
	t->at = at;
	return write_list();
}

int64_t timers_next(void)
{
	int64_t at = -1;

	for (int i = 0; i < count; i++) {
		if (at < 0 || list[i].at < at)
			at = list[i].at;
	}
	return at;
}

bool timers_take(int64_t now, char *name)
{
	for (int i = 0; i < count; i++) {
		int err;

		if (list[i].at > now)
			continue;
		strcpy(name, list[i].name);
		list[i] = list[--count];
		err = write_list();
		if (err)
			log_warn("%s: %s", file, strerror(-err));
		return true;
	}
	return false;
}
