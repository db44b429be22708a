/* SPDX-License-Identifier: BSD-3-Clause */
/* The channels of the log. The console is stderr, so that a guest's serial output on stdout stays clean. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_DIR		"/var/log/acrn-dm"
#define DISK_FILES	8
#define DISK_SIZE	(2u << 20)
#define GUEST_LIMIT	100

static struct {
	pthread_mutex_t lock;
	int console_level, kmsg_level, disk_level;	/* 0: off */
	int kmsg_fd, disk_fd;
	pthread_t owner;	/* who called log_configure() */
	unsigned int disk_index;
	size_t disk_used;
	char vm_name[16];
} state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.console_level = LOG_LEVEL_INFO,
	.kmsg_fd = -1,
	.disk_fd = -1,
};

static int open_disk(void)
{
	char path[64];

	snprintf(path, sizeof(path), LOG_DIR "/%s_log_%u", state.vm_name, state.disk_index);
	state.disk_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	state.disk_used = 0;
	return state.disk_fd < 0 ? -errno : 0;
}

static int open_channels(void)
{
	int err = 0;

	if (state.kmsg_level && state.kmsg_fd < 0) {
		state.kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
		if (state.kmsg_fd < 0)
			err = -errno;
	}
	if (state.disk_level && state.disk_fd < 0 && !err) {
		if (mkdir(LOG_DIR, 0750) != 0 && errno != EEXIST)
			err = -errno;
		else
			err = open_disk();
	}
	if (err)
		fprintf(stderr, "acrn-dm: --logger_setting: cannot open %s: %s\n",
			state.kmsg_level && state.kmsg_fd < 0 ? "/dev/kmsg" : LOG_DIR, strerror(-err));
	return err;
}

static int *channel_level(const char *name, size_t len)
{
	if (len == 7 && memcmp(name, "console", 7) == 0)
		return &state.console_level;
	if (len == 4 && memcmp(name, "kmsg", 4) == 0)
		return &state.kmsg_level;
	if (len == 4 && memcmp(name, "disk", 4) == 0)
		return &state.disk_level;
	return NULL;
}

/* One "name,level=N"; returns what follows, or NULL if it is wrong. */
static const char *parse_channel(const char *p)
{
	size_t len = strcspn(p, ",;");
	int *level = channel_level(p, len);

	p += len;
	if (!level || strncmp(p, ",level=", 7) != 0 || p[7] < '1' || p[7] > '5')
		return NULL;
	*level = p[7] - '0';
	return p + 8;
}

int log_configure(const char *setting, const char *vm_name)
{
	const char *p = setting;

	state.owner = pthread_self();
	snprintf(state.vm_name, sizeof(state.vm_name), "%s", vm_name);
	while (*p) {
		p = parse_channel(p);
		if (!p || (*p && *p != ';')) {
			fprintf(stderr, "acrn-dm: --logger_setting: \"%s\" is not "
				"console|kmsg|disk,level=1..5[;…]\n", setting);
			return -EINVAL;
		}
		if (*p == ';')
			p++;
	}
	return open_channels();
}

void log_exit(void)
{
	pthread_mutex_lock(&state.lock);
	if (state.kmsg_fd >= 0)
		close(state.kmsg_fd);
	if (state.disk_fd >= 0)
		close(state.disk_fd);
	state.kmsg_fd = state.disk_fd = -1;
	pthread_mutex_unlock(&state.lock);
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;		/* there is no place left to tell about it */
		text += n;
		len -= (size_t)n;
	}
}

static void write_disk(const char *text, size_t len)
{
	/* Threads of devices may open no file: it grows until the first thread writes, which soon does. */
	if (state.disk_used + len > DISK_SIZE && pthread_equal(pthread_self(), state.owner)) {
		close(state.disk_fd);
		state.disk_index = (state.disk_index + 1) % DISK_FILES;
		if (open_disk() != 0)
			return;
	}
	write_all(state.disk_fd, text, len);
	state.disk_used += len;
}

static void emit(enum log_level level, const char *message)
{
	static const char *const names[] = { "", "error: ", "warning: ", "", "", "debug: " };
	struct timespec now;
	char line[600];
	int len;

	pthread_mutex_lock(&state.lock);
	if ((int)level <= state.console_level) {
		len = snprintf(line, sizeof(line), "acrn-dm: %s%s\n", names[level], message);
		write_all(STDERR_FILENO, line, (size_t)len);
	}
	if ((int)level <= state.kmsg_level && state.kmsg_fd >= 0) {
		len = snprintf(line, sizeof(line), "acrn_dm: %s%s\n", names[level], message);
		write_all(state.kmsg_fd, line, (size_t)len);
	}
	if ((int)level <= state.disk_level && state.disk_fd >= 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		len = snprintf(line, sizeof(line), "[%lld.%06ld] %s%s\n", (long long)now.tv_sec,
			       now.tv_nsec / 1000, names[level], message);
		write_disk(line, (size_t)len);
	}
	pthread_mutex_unlock(&state.lock);
}

static void vlog(enum log_level level, const char *fmt, va_list ap)
{
	char message[512];

	if ((int)level > state.console_level && (int)level > state.kmsg_level && (int)level > state.disk_level)
		return;
	vsnprintf(message, sizeof(message), fmt, ap);
	emit(level, message);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(level, fmt, ap);
	va_end(ap);
}

void log_guest(const char *fmt, ...)
{
	static atomic_uint count;
	unsigned int n = atomic_fetch_add(&count, 1);
	va_list ap;

	if (n >= GUEST_LIMIT) {
		atomic_store(&count, GUEST_LIMIT);	/* never wraps */
		return;
	}
	va_start(ap, fmt);
	vlog(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
	if (n == GUEST_LIMIT - 1)
		log_warn("the guest keeps doing such things; no more is said about them");
}
