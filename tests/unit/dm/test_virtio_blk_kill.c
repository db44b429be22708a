/* SPDX-License-Identifier: BSD-3-Clause */
/* What is left of a disk after SIGKILL: whatever a flush acknowledged. Fifty times, each engine in its turn. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm/fake_guest_blk.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"

#define SECTORS	4096u
#define KILLS	50u
#define OUT	1u
#define FLUSH	4u

static struct guest_dev g;
static char path[64];

/* Writes numbered sectors, flushes, and tells each number that was flushed; never returns. */
static void write_until_killed(const char *engine, int fd)
{
	char opts[128];
	uint64_t at;

	guest_memory_drop();	/* it does not come along in a fork */
	guest_memory_make();
	at = guest_alloc(512, 512);
	snprintf(opts, sizeof(opts), "%s,writeback,aio=%s", path, engine);
	if (guest_dev_make(&g, "virtio-blk", opts, true, true) != 0)
		_exit(1);
	guest_dev_start(&g, ~0ull, 1);
	for (uint32_t n = 0;; n++) {
		for (unsigned int i = 0; i < 128; i++)
			((uint32_t *)guest_at(at))[i] = n * 977 + i;
		if (guest_blk_transfer(&g, OUT, n % SECTORS, at, 512) != 0 ||
		    guest_blk_transfer(&g, FLUSH, 0, 0, 0) != 0 ||
		    write(fd, &n, sizeof(n)) != (ssize_t)sizeof(n) || n >= SECTORS - 1)
			for (;;)
				pause();
	}
}

static void sectors_are_there(uint32_t last)
{
	int fd = open(path, O_RDONLY);

	for (uint32_t n = 0; n <= last; n++) {
		uint32_t got[128];

		assert_int_equal(pread(fd, got, 512, (off_t)n * 512), 512);
		for (unsigned int i = 0; i < 128; i++)
			assert_int_equal(got[i], n * 977 + i);
	}
	close(fd);
}

/* The kernel lets go of the lock when the last I/O of the dead is done, which with io_uring may be after their end. */
static bool lock_is_free(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR), err = fcntl(fd, F_OFD_SETLK, &lock);

	close(fd);
	return err == 0;
}

static void what_a_flush_acknowledged_survives_fifty_kills(void **state)
{
	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	strcpy(path, "/tmp/virtio-blk-XXXXXX");
	close(mkstemp(path));
	for (unsigned int i = 0; i < KILLS; i++) {
		uint32_t n, last = 0, acks = 0;
		int ends[2], fd;
		pid_t child;

		fd = open(path, O_WRONLY | O_TRUNC);
		assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
		close(fd);
		assert_int_equal(pipe(ends), 0);
		child = fork();
		if (child == 0)
			write_until_killed(guest_blk_engine(i), ends[1]);
		close(ends[1]);
		assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
		usleep(200 * (i * 7 % 50));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(ends[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) {
			last = n;
			acks++;
		}
		close(ends[0]);
		assert_true(BECOMES(lock_is_free()));
		assert_int_equal(last, acks);
		sectors_are_there(last);
	}
	unlink(path);
	guest_memory_drop();
}

struct test_list virtio_blk_kill_tests(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_flush_acknowledged_survives_fifty_kills) };

	return (struct test_list){ tests, 1 };
}
