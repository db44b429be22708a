/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnd: starts the VMs that acrnctl add has kept when the machine starts, starts or resumes VMs when their timers are
 * due, stops them all when it is told to or ends itself. VMs are services of systemd; acrnd only asks for them.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl/daemon.h"
#include "log.h"
#include "loop.h"
#include "notify.h"

#define LATEST	60	/* seconds that the start of VMs may be put off */

static void on_signal(int fd, unsigned int events, void *arg)
{
	struct signalfd_siginfo info;

	(void)events;
	(void)arg;
	if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		daemon_end();
}

static int watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 && loop_add(fd, LOOP_READ, on_signal, NULL) ? 0 : -errno;
}

static void print_help(void)
{
	printf("acrnd [-t] [-d SECONDS]\n"
	       "Starts the VMs that acrnctl add has kept, and wakes or stops VMs when it is told to.\n"
	       "  -t            messages to standard output instead of standard error\n"
	       "  -d SECONDS    starts VMs that many seconds later, 0 to %d\n"
	       "  -h, --help\n"
	       "      --version\n", LATEST);
}

static int serve(unsigned int delay)
{
	int err = loop_init();

	if (!err)
		err = watch_signals();
	if (!err)
		err = daemon_init(&(struct daemon_places){ 0 }, delay);
	if (err) {
		log_err("acrnd cannot start: %s", strerror(-err));
		return 1;
	}
	notify("READY=1");
	err = loop_run();
	daemon_exit();
	loop_exit();
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 },
	};
	unsigned long delay = 0;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "td:h", options, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return 0;
		} else if (c == 'v') {
			printf("acrnd %s\n", DM_VERSION);
			return 0;
		} else if (c == 't') {
			dup2(STDOUT_FILENO, STDERR_FILENO);
		} else if (c == 'd') {
			delay = strtoul(optarg, &end, 10);
			if (*end || end == optarg || delay > LATEST) {
				fprintf(stderr, "acrnd: -d %s: 0 to %d seconds\n", optarg, LATEST);
				return 2;
			}
		} else {
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "acrnd: %s: a word too many (--help)\n", argv[optind]);
		return 2;
	}
	return serve((unsigned int)delay);
}
