/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A seccomp allow-list for all threads and an empty capability set for this one and those it makes. A kernel without
 * seccomp is warned about, not refused.
 */
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

static const unsigned short allowed[] = {
	/* data */
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
	SYS_pwritev2, SYS_fsync, SYS_fdatasync, SYS_fallocate, SYS_ftruncate, SYS_lseek, SYS_ioctl, SYS_fcntl,
	SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_getrandom,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	/* waiting */
	SYS_futex, SYS_poll, SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_timerfd_create,
	SYS_timerfd_settime, SYS_timerfd_gettime, SYS_eventfd2, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_clock_gettime, SYS_gettimeofday, SYS_time, SYS_sched_yield, SYS_restart_syscall,
	/* a client of a socket, another disk, the log: kept to what their places allow */
	SYS_accept, SYS_accept4, SYS_socket, SYS_connect, SYS_shutdown, SYS_getsockopt, SYS_setsockopt, SYS_openat,
	SYS_close, SYS_fstat, SYS_newfstatat, SYS_unlink, SYS_flock,
	/* threads and memory */
	SYS_clone, SYS_clone3, SYS_exit, SYS_exit_group, SYS_set_robust_list, SYS_rseq, SYS_prctl, SYS_gettid,
	SYS_getpid, SYS_tgkill, SYS_kill, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_capset, SYS_mmap,
	SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_sigaltstack, SYS_getrusage, SYS_getuid, SYS_geteuid,
};

#define ALLOWED	(sizeof(allowed) / sizeof(allowed[0]))

static void load_filter(void)
{
	struct sock_filter code[2 * ALLOWED + 6];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < ALLOWED; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
		log_warn("this kernel does not filter system calls: %s", strerror(errno));
}

void confine_thread(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &header, none) != 0)
		log_warn("cannot drop capabilities: %s", strerror(errno));
}

void confine(void)
{
	confine_thread();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_warn("cannot give up new privileges: %s", strerror(errno));
	load_filter();
}
