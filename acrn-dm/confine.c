/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capabilities, and a list of system calls for each role, through libseccomp. What a newcomer would get wrong: a ring
 * of io_uring could open files past any such list, so no role may make one, and those that exist are restricted to
 * reading and writing where they are made (virtio/blk_uring.c).
 */
#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine_files.h"
#include "log.h"

#define BIT(role)	(1u << (role))
#define ALL		(BIT(CONFINE_DEVICE) | BIT(CONFINE_VCPU) | BIT(CONFINE_NETWORK) | BIT(CONFINE_MAIN))
#define VCPU		(BIT(CONFINE_VCPU) | BIT(CONFINE_MAIN))
#define NETWORK		(BIT(CONFINE_NETWORK) | BIT(CONFINE_MAIN))
#define MAIN		BIT(CONFINE_MAIN)

static const struct {
	int nr;
	unsigned int roles;
} allowed[] = {
	/* data */
	{ SYS_read, ALL }, { SYS_write, ALL }, { SYS_readv, ALL }, { SYS_writev, ALL }, { SYS_pread64, ALL },
	{ SYS_pwrite64, ALL }, { SYS_preadv, ALL }, { SYS_pwritev, ALL }, { SYS_preadv2, ALL }, { SYS_pwritev2, ALL },
	{ SYS_fsync, ALL }, { SYS_fdatasync, ALL }, { SYS_fallocate, ALL }, { SYS_lseek, ALL }, { SYS_ioctl, ALL },
	{ SYS_getrandom, ALL }, { SYS_io_uring_enter, ALL }, { SYS_msync, VCPU }, { SYS_ftruncate, VCPU },
	/* waiting */
	{ SYS_futex, ALL }, { SYS_poll, ALL }, { SYS_ppoll, ALL }, { SYS_epoll_wait, ALL }, { SYS_epoll_pwait, ALL },
	{ SYS_epoll_ctl, ALL }, { SYS_nanosleep, ALL }, { SYS_clock_nanosleep, ALL }, { SYS_clock_gettime, ALL },
	{ SYS_gettimeofday, ALL }, { SYS_time, ALL }, { SYS_sched_yield, ALL }, { SYS_restart_syscall, ALL },
	{ SYS_timerfd_settime, VCPU }, { SYS_timerfd_gettime, VCPU }, { SYS_timerfd_create, VCPU },
	{ SYS_eventfd2, VCPU },
	/* a thread's own life and memory; pages that can be run are refused below */
	{ SYS_close, ALL }, { SYS_exit, ALL }, { SYS_exit_group, ALL }, { SYS_set_robust_list, ALL }, { SYS_rseq, ALL },
	{ SYS_gettid, ALL }, { SYS_getpid, ALL }, { SYS_tgkill, ALL }, { SYS_munmap, ALL }, { SYS_madvise, ALL },
	{ SYS_brk, ALL }, { SYS_rt_sigprocmask, ALL }, { SYS_rt_sigreturn, ALL }, { SYS_rt_sigaction, ALL },
	{ SYS_sigaltstack, ALL }, { SYS_sched_getaffinity, ALL }, { SYS_fcntl, ALL }, { SYS_fstat, ALL },
	{ SYS_mremap, ALL },
	/* talk on connections that there are */
	{ SYS_sendto, ALL }, { SYS_recvfrom, ALL }, { SYS_sendmsg, ALL }, { SYS_recvmsg, ALL },
	{ SYS_shutdown, NETWORK },
	/* new connections */
	{ SYS_accept, NETWORK }, { SYS_accept4, NETWORK }, { SYS_socket, NETWORK }, { SYS_connect, NETWORK },
	{ SYS_getsockopt, NETWORK }, { SYS_setsockopt, NETWORK }, { SYS_getsockname, NETWORK },
	{ SYS_getpeername, NETWORK }, { SYS_bind, BIT(CONFINE_NETWORK) }, { SYS_listen, BIT(CONFINE_NETWORK) },
	/* new files: kept to what the role's rules of Landlock allow */
	{ SYS_openat, NETWORK }, { SYS_newfstatat, NETWORK }, { SYS_statx, MAIN }, { SYS_unlink, MAIN },
	{ SYS_flock, MAIN },
	/* control; and what the threads that the main thread makes need to confine themselves further */
	{ SYS_clone, MAIN }, { SYS_clone3, MAIN }, { SYS_kill, MAIN }, { SYS_sched_setaffinity, MAIN },
	{ SYS_prctl, MAIN }, { SYS_capset, MAIN }, { SYS_seccomp, MAIN }, { SYS_landlock_create_ruleset, MAIN },
	{ SYS_landlock_add_rule, MAIN }, { SYS_landlock_restrict_self, MAIN }, { SYS_getrusage, MAIN },
	{ SYS_getuid, MAIN }, { SYS_geteuid, MAIN },
};

static int add_rules(scmp_filter_ctx filter, enum confine_role role)
{
	static const int mapping[] = { SYS_mmap, SYS_mprotect };
	int err = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !err; i++)
		if (allowed[i].roles & BIT(role))
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].nr, 0);
	for (size_t i = 0; i < 2 && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

static void load_filter(enum confine_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = filter ? add_rules(filter, role) : -ENOMEM;

	if (!err) {
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);	/* a tree; an old library has a list */
		err = seccomp_load(filter);
	}
	if (err)
		log_warn("this kernel does not filter system calls: %s", strerror(-err));
	if (filter)
		seccomp_release(filter);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &header, none) != 0)
		log_warn("cannot drop capabilities: %s", strerror(errno));
}

void confine_thread(enum confine_role role)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_warn("cannot give up new privileges: %s", strerror(errno));
	confine_files(role);
	drop_capabilities();
	load_filter(role);
}
