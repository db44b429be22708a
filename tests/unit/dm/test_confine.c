/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a subverted thread of a device can do: neither open a file nor make a socket, in no way that the kernel has.
 * Each attempt is first made unconfined, where it succeeds, so that the refusal says something.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "confine_files.h"
#include "virtio/uring.h"
#include "virtio/worker.h"

#define FILE_NAME	"/proc/self/status"

static struct io_uring ring;

/* Each returns 0 if it succeeded, or errno. */
static int opens_a_file(void)
{
	int fd = open(FILE_NAME, O_RDONLY);

	return fd < 0 ? errno : close(fd);
}

static int opens_the_old_way(void)
{
	int fd = (int)syscall(SYS_open, FILE_NAME, O_RDONLY, 0);

	return fd < 0 ? errno : close(fd);
}

static int opens_by_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, FILE_NAME, how, sizeof(how));

	return fd < 0 ? errno : close(fd);
}

static int makes_a_file(void)
{
	int fd = memfd_create("x", 0);

	return fd < 0 ? errno : close(fd);
}

static int makes_a_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? errno : close(fd);
}

static int makes_a_local_socket(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return errno;
	close(ends[0]);
	return close(ends[1]);
}

static int makes_a_ring(void)
{
	struct io_uring other;
	int err = io_uring_queue_init(2, &other, 0);

	if (!err)
		io_uring_queue_exit(&other);
	return -err;
}

static int starts_a_program(void)
{
	pid_t child = (pid_t)syscall(SYS_fork);
	int status = 1;

	if (child < 0)
		return errno;
	if (child == 0)
		_exit(0);
	waitpid(child, &status, 0);
	return status;
}

static int makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : munmap(p, 4096);
}

/* By a ring that is there, as a disk's thread has one: openat. */
static int opens_by_a_ring(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;
	int result;

	io_uring_prep_openat(sqe, AT_FDCWD, FILE_NAME, O_RDONLY, 0);
	if (io_uring_submit_and_wait(&ring, 1) < 0 || io_uring_peek_cqe(&ring, &cqe) != 0)
		return EIO;
	result = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return result < 0 ? -result : close(result);
}

/* What some machine forbids to everybody is left out there. */
static const struct {
	int (*attempt)(void);
	const char *name;
	bool may_lack;
} attempts[] = {
	{ opens_a_file, "openat", false }, { opens_the_old_way, "open", false },
	{ opens_by_openat2, "openat2", true }, { makes_a_file, "memfd_create", false },
	{ makes_a_socket, "socket", false }, { makes_a_local_socket, "socketpair", false },
	{ makes_a_ring, "io_uring_setup", true }, { starts_a_program, "fork", false }, { makes_code, "mmap", true },
};

#define ATTEMPTS	(sizeof(attempts) / sizeof(attempts[0]))

static int results[ATTEMPTS];

static void subverted(void *arg)
{
	struct worker *w = arg;
	struct pollfd none = { .fd = -1 };

	for (size_t i = 0; i < ATTEMPTS; i++)
		results[i] = attempts[i].attempt();
	while (worker_wait(w, &none, 1))
		;
}

static void a_subverted_device_thread_opens_neither_file_nor_socket(void **state)
{
	struct worker w = { 0 };

	(void)state;
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (attempts[i].attempt() != 0 && !attempts[i].may_lack)
			fail_msg("%s does not work here anyway", attempts[i].name);
	assert_int_equal(worker_start(&w, "subverted", subverted, &w), 0);
	worker_stop(&w);
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (results[i] != EPERM)
			fail_msg("%s: %d, not EPERM", attempts[i].name, results[i]);
	assert_int_equal(opens_a_file(), 0);	/* this thread may */
}

/* Where there is no filter, Landlock alone refuses files; in a child, since there is no way back. */
static void landlock_alone_refuses_files(void **state)
{
	pid_t child;
	int status;

	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		skip();
	child = fork();
	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		confine_files(CONFINE_DEVICE);
		_exit(opens_a_file() == EACCES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* Runs body in a child that is confined; its exit code. */
static int confined(enum confine_role role, int (*body)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		confine_thread(role);
		_exit(body());
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int has_no_privilege(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_CAPBSET_DROP, 1, 0, 0, 0) == 0;
}

static int starts_the_shell(void)
{
	execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return errno;
}

static void main_thread_keeps_clients_and_disks_but_starts_nothing(void **state)
{
	(void)state;
	assert_int_equal(confined(CONFINE_MAIN, opens_a_file), 0);
	assert_int_equal(confined(CONFINE_MAIN, makes_a_socket), 0);
	assert_int_equal(confined(CONFINE_MAIN, has_no_privilege), 0);
	assert_int_equal(confined(CONFINE_MAIN, starts_the_shell), EPERM);
	assert_int_equal(confined(CONFINE_MAIN, makes_code), EPERM);
	assert_int_equal(confined(CONFINE_MAIN, makes_a_ring), EPERM);
}

static int vcpu_after_main(void)
{
	confine_thread(CONFINE_VCPU);
	return opens_a_file();
}

static void thread_of_a_vcpu_is_confined_further(void **state)
{
	(void)state;
	assert_int_equal(confined(CONFINE_MAIN, vcpu_after_main), EPERM);
	assert_int_equal(confined(CONFINE_VCPU, makes_a_socket), EPERM);
}

static void network_thread_has_sockets_but_not_the_files(void **state)
{
	int file = confined(CONFINE_NETWORK, opens_a_file);

	(void)state;
	assert_int_equal(confined(CONFINE_NETWORK, makes_a_socket), 0);
	assert_int_equal(confined(CONFINE_NETWORK, starts_a_program), EPERM);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1)
		assert_int_equal(file, EACCES);
}

static void ring_of_a_disk_only_reads_and_writes(void **state)
{
	(void)state;
	if (io_uring_queue_init(2, &ring, 0) != 0)
		skip();
	assert_int_equal(opens_by_a_ring(), 0);
	io_uring_queue_exit(&ring);
	assert_int_equal(uring_open(&ring, 2), 0);
	assert_int_equal(opens_by_a_ring(), EACCES);
	io_uring_queue_exit(&ring);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subverted_device_thread_opens_neither_file_nor_socket),
		cmocka_unit_test(landlock_alone_refuses_files),
		cmocka_unit_test(main_thread_keeps_clients_and_disks_but_starts_nothing),
		cmocka_unit_test(thread_of_a_vcpu_is_confined_further),
		cmocka_unit_test(network_thread_has_sockets_but_not_the_files),
		cmocka_unit_test(ring_of_a_disk_only_reads_and_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
