/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-blk's engines over real files: data, faults of the host, sizes that change.
 * The calls that a disk is read and written by are taken over here, to be slow, to fail and to be counted on demand.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest_blk.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"

#define SECTORS	4096u
#define IN	0u
#define OUT	1u
#define FLUSH	4u
#define DISCARD	11u
#define ZEROES	13u

static struct guest_dev g;
static char path[64];

/* --- the host, on demand ----------------------------------------------------------------------------- */

static struct {
	unsigned int delay_ms;	/* of each read */
	bool holds;		/* reads, until it is false */
	unsigned int held;
	int error;		/* of each read and write */
	unsigned int syncs, durable_writes;
} fault;

ssize_t preadv(int fd, const struct iovec *iov, int n, off_t at)
{
	if (fault.delay_ms)
		usleep(fault.delay_ms * 1000);
	if (__atomic_load_n(&fault.holds, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_add(&fault.held, 1, __ATOMIC_SEQ_CST);
		(void)BECOMES(!__atomic_load_n(&fault.holds, __ATOMIC_SEQ_CST));
	}
	if (fault.error) {
		errno = fault.error;
		return -1;
	}
	return syscall(SYS_preadv, fd, iov, n, at, 0);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
	if (fault.error) {
		errno = fault.error;
		return -1;
	}
	if (flags & RWF_DSYNC)
		__atomic_fetch_add(&fault.durable_writes, 1, __ATOMIC_SEQ_CST);
	return syscall(SYS_pwritev2, fd, iov, n, at, 0, flags);
}

int fdatasync(int fd)
{
	__atomic_fetch_add(&fault.syncs, 1, __ATOMIC_SEQ_CST);
	return (int)syscall(SYS_fdatasync, fd);
}

/* --- set-up ------------------------------------------------------------------------------------------ */

static int setup(void **state)
{
	int fd;

	(void)state;
	memset(&fault, 0, sizeof(fault));
	fake_hsm_reset();
	guest_memory_make();
	strcpy(path, "/tmp/virtio-blk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	guest_dev_drop(&g);
	unlink(path);
	guest_memory_drop();
	return 0;
}

static void make(const char *before, const char *file, const char *after, unsigned int rings)
{
	char opts[256];

	snprintf(opts, sizeof(opts), "%s%s%s", before, file, after);
	assert_int_equal(guest_dev_make(&g, "virtio-blk", opts, true, true), 0);
	guest_dev_start(&g, ~0ull, rings);
}

static void make_with(const char *engine, const char *more, unsigned int rings)
{
	char after[128];

	snprintf(after, sizeof(after), ",aio=%s%s", engine, more);
	make("", path, after, rings);
}

static uint64_t filled(size_t len, size_t align, size_t skew, unsigned int seed)
{
	uint64_t at = guest_alloc(len + skew, align) + skew;

	for (size_t i = 0; i < len; i++)
		*((uint8_t *)guest_at(at) + i) = (uint8_t)(i * 7 + i / 256 + seed);
	return at;
}

static void file_holds(uint64_t offset, uint64_t at, size_t len)
{
	uint8_t *got = malloc(len);
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, got, len, (off_t)offset), len);
	assert_memory_equal(got, guest_at(at), len);
	close(fd);
	free(got);
}

/* --- data -------------------------------------------------------------------------------------------- */

static bool reads_directly(void)
{
	int fd = open(path, O_RDONLY | O_DIRECT);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void each_engine_moves_data_of_any_alignment(void **state)
{
	static const char *const modes[] = { "", ",writeback", ",nocache", ",nocache,writeback" };
	const uint32_t len = 3u << 19;	/* more than one bounce buffer */

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		const char *mode = modes[i / 2 % 4];
		uint64_t out, in;

		if (strstr(mode, "nocache") && !reads_directly())
			continue;
		guest_memory_drop();
		guest_memory_make();
		make_with(guest_blk_engine(i), mode, 1);
		g.packed = i & 8;
		guest_dev_start(&g, ~0ull, 1);
		out = filled(len, 4096, i & 8 ? 3 : 0, i);
		in = guest_alloc(len + 5, 4096) + (i & 8 ? 5 : 0);
		assert_int_equal(guest_blk_transfer(&g, OUT, 8, out, len), 0);
		file_holds(8 * 512, out, len);
		assert_int_equal(guest_blk_transfer(&g, IN, 8, in, len), 0);
		assert_memory_equal(guest_at(in), guest_at(out), len);
		assert_int_equal(guest_blk_transfer(&g, FLUSH, 0, 0, 0), 0);
		assert_int_equal(guest_blk_transfer(&g, OUT, SECTORS - 1, out, 1024), 1);
		assert_int_equal(guest_blk_transfer(&g, IN, 0, in, 100), 1);
		guest_dev_drop(&g);
	}
}

static void many_requests_on_four_queues_complete_in_both_engines(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const before[] = {
			"mq=4,", "mq=4,iothread,", "mq=4,iothread=2,", "iothread=2,mq=4,",
		};
		char after[64];
		uint64_t data;

		guest_memory_drop();
		guest_memory_make();
		snprintf(after, sizeof(after), ",writeback,aio=%s", guest_blk_engine(i));
		make(before[i], path, after, 4);
		data = guest_alloc(64 * 4096, 4096);
		for (unsigned int round = 0; round < 20; round++) {
			uint64_t status[4][64];
			struct vring_used_elem e;

			for (unsigned int n = 0; n < 64; n++) {
				struct blk_ask r = { n & 4 ? IN : OUT, n * 8, data + n * 4096, 4096, n & 4 };

				status[n % 4][n / 4] = guest_blk_submit(&g, n % 4, &r);
			}
			for (unsigned int n = 0; n < 64; n++)
				assert_true(ring_wait(&g.ring[n % 4], &e));
			for (unsigned int n = 0; n < 64; n++)
				assert_int_equal(*(uint8_t *)guest_at(status[n % 4][n / 4]), 0);
		}
		guest_dev_drop(&g);
	}
}

static void zeroes_are_written_with_and_without_their_blocks(void **state)
{
	uint64_t at, before;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct { uint64_t sector; uint32_t sectors, flags; } range = { 16, 112, i & 1 };
		static const uint8_t zero[112 * 512];
		uint8_t got[sizeof(zero)];
		int fd;

		make_with(guest_blk_engine(i / 2), ",writeback", 1);
		at = filled(65536, 4096, 0, 1);
		assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 65536), 0);
		before = guest_blk_sectors_on_disk(path);
		memcpy(guest_at(at), &range, 16);
		assert_int_equal(guest_blk_run(&g, &(struct blk_ask){ ZEROES, 0, at, 16, false }), 0);
		if (before >= 128)	/* a file system that tells */
			assert_int_equal(guest_blk_sectors_on_disk(path) < before - 56, i & 1);
		fd = open(path, O_RDONLY);
		assert_int_equal(pread(fd, got, sizeof(got), 16 * 512), sizeof(got));
		assert_memory_equal(got, zero, sizeof(got));
		assert_int_equal(pread(fd, got, 512, 15 * 512), 512);
		assert_true(got[1] != 0);
		close(fd);
		memcpy(guest_at(at), &(uint64_t[]){ SECTORS, 1 }, 16);
		assert_int_equal(guest_blk_run(&g, &(struct blk_ask){ ZEROES, 0, at, 16, false }), 1);
		memcpy(guest_at(at), &(uint64_t[]){ 0, 2ull << 32 | 1 }, 16);
		assert_int_equal(guest_blk_run(&g, &(struct blk_ask){ ZEROES, 0, at, 16, false }), 2);
		assert_int_equal(guest_blk_run(&g, &(struct blk_ask){ DISCARD, 0, at, 16, false }), 2);
		guest_dev_drop(&g);
	}
}

static void flush_and_write_through_reach_the_host(void **state)
{
	uint64_t at;

	(void)state;
	make_with("threads", ",writeback", 1);
	at = filled(512, 512, 0, 1);
	assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 512), 0);
	assert_int_equal(fault.syncs + fault.durable_writes, 0);
	assert_int_equal(guest_blk_transfer(&g, FLUSH, 0, 0, 0), 0);
	assert_int_equal(fault.syncs, 1);
	guest_dev_write_config(&g, 32, 1, 0);
	assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 512), 0);
	assert_int_equal(fault.durable_writes, 1);
	guest_dev_drop(&g);
	make_with("threads", ",writethru", 1);
	assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 512), 0);
	assert_int_equal(fault.durable_writes, 2);
}

/* --- faults ------------------------------------------------------------------------------------------ */

static void image_cut_under_the_guest_gives_errors_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at;

		assert_int_equal(truncate(path, SECTORS * 512), 0);
		make_with(guest_blk_engine(i), ",writeback", 1);
		at = guest_alloc(4096, 4096);
		assert_int_equal(truncate(path, 1024 * 512), 0);
		assert_int_equal(guest_blk_transfer(&g, IN, 2048, at, 4096), 1);
		assert_int_equal(guest_blk_transfer(&g, IN, 1022, at, 4096), 1);	/* half of it is there */
		assert_int_equal(guest_blk_transfer(&g, IN, 1016, at, 4096), 0);
		assert_int_equal(guest_blk_transfer(&g, FLUSH, 0, 0, 0), 0);
		guest_dev_drop(&g);
	}
}

static void host_that_refuses_writes_gives_errors_and_nothing_else(void **state)
{
	char file[64];
	uint64_t at = filled(4096, 4096, 0, 1);

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		int fd = memfd_create("disk", MFD_ALLOW_SEALING);
		char after[64];

		assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
		snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
		snprintf(after, sizeof(after), ",writeback,aio=%s", guest_blk_engine(i));
		make("", file, after, 1);
		assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 4096), 0);
		/* EBUSY: a page is in use */
		assert_true(BECOMES(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0));
		assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 4096), 1);
		assert_int_equal(guest_blk_transfer(&g, IN, 0, at, 4096), 0);
		guest_dev_drop(&g);
		close(fd);
	}
}

static void full_host_gives_errors_and_nothing_else(void **state)
{
	char dir[] = "/tmp/virtio-full-XXXXXX", file[64];
	uint64_t at = filled(1 << 20, 4096, 0, 1);

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (mount("tmpfs", dir, "tmpfs", 0, "size=256k") != 0) {
		rmdir(dir);
		skip();
	}
	snprintf(file, sizeof(file), "%s/disk", dir);
	for (unsigned int i = 0; i < 2; i++) {
		int fd = open(file, O_CREAT | O_TRUNC | O_RDWR, 0600);
		char after[64];

		assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
		close(fd);
		snprintf(after, sizeof(after), ",writeback,aio=%s", guest_blk_engine(i));
		make("", file, after, 1);
		assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 1 << 20), 1);
		assert_int_equal(guest_blk_transfer(&g, IN, 0, at, 4096), 0);
		guest_dev_drop(&g);
	}
	assert_int_equal(umount(dir), 0);
	rmdir(dir);
}

static void disk_that_fails_gives_errors_and_comes_back(void **state)
{
	uint64_t at = guest_alloc(4096, 4096);

	(void)state;
	make_with("threads", ",writeback", 1);
	fault.error = EIO;
	assert_int_equal(guest_blk_transfer(&g, IN, 0, at, 4096), 1);
	assert_int_equal(guest_blk_transfer(&g, OUT, 0, at, 4096), 1);
	fault.error = 0;
	assert_int_equal(guest_blk_transfer(&g, IN, 0, at, 4096), 0);
}

static void slow_disk_stops_neither_other_requests_nor_a_reset(void **state)
{
	uint64_t at = guest_alloc(4096, 4096), flush;
	struct vring_used_elem e;

	(void)state;
	make_with("threads", ",writeback", 1);
	fault.holds = true;
	guest_blk_submit(&g, 0, &(struct blk_ask){ IN, 0, at, 4096, true });
	assert_true(BECOMES(__atomic_load_n(&fault.held, __ATOMIC_SEQ_CST) == 1));
	flush = guest_blk_submit(&g, 0, &(struct blk_ask){ FLUSH, 0, 0, 0, false });
	assert_true(ring_wait(&g.ring[0], &e));
	assert_int_equal(*(uint8_t *)guest_at(flush), 0);	/* it came first */
	__atomic_store_n(&fault.holds, false, __ATOMIC_SEQ_CST);
	assert_true(ring_wait(&g.ring[0], &e));
	fault.delay_ms = 100;
	guest_blk_submit(&g, 0, &(struct blk_ask){ IN, 0, at, 4096, true });
	usleep(50000);
	guest_dev_reset(&g);
	fault.delay_ms = 0;
	guest_dev_start(&g, ~0ull, 1);
	assert_int_equal(guest_blk_transfer(&g, IN, 0, at, 4096), 0);
}

static void reset_with_requests_in_the_ring_of_the_kernel_touches_nothing_after(void **state)
{
	enum { LEN = 1 << 18 };
	uint64_t data;

	(void)state;
	if (!guest_blk_has_uring())
		skip();
	make_with("io_uring", ",writeback", 1);
	data = guest_alloc(8 * LEN, 4096);
	for (unsigned int i = 0; i < 50; i++) {
		for (unsigned int n = 0; n < 8; n++)
			guest_blk_submit(&g, 0, &(struct blk_ask){ IN, 0, data + n * LEN, LEN, true });
		guest_dev_reset(&g);
		memset(guest_at(data), 0xa5, 8 * LEN);
		usleep(100);
		for (unsigned int n = 0; n < 8 * LEN; n += 4096)
			assert_int_equal(*((uint8_t *)guest_at(data) + n), 0xa5);
		guest_dev_start(&g, ~0ull, 1);
	}
	for (unsigned int n = 0; n < 8; n++)	/* and the end waits for them */
		guest_blk_submit(&g, 0, &(struct blk_ask){ IN, 0, data + n * LEN, LEN, true });
}

/* --- sizes, threads, locks --------------------------------------------------------------------------- */

static void disk_changes_its_size_while_it_runs(void **state)
{
	uint64_t at = guest_alloc(4096, 4096);
	struct dm_device *d;
	struct stat st;

	(void)state;
	make_with(guest_blk_engine(1), ",writeback", 1);
	guest_store(g.modern_base + 16, 2, 0);	/* configuration changes: vector 0 */
	d = device_find("virtio-blk");
	assert_int_equal(guest_blk_transfer(&g, IN, SECTORS, at, 4096), 1);
	assert_int_equal(d->class->resize(d, 2 * SECTORS * 512), 0);
	assert_true(fake_msi_wait(0, 1));
	assert_int_equal(guest_dev_config(&g, 0, 8), 2 * SECTORS);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 2 * SECTORS * 512);
	assert_int_equal(guest_blk_transfer(&g, IN, SECTORS, at, 4096), 0);
	assert_int_equal(truncate(path, SECTORS * 256), 0);
	assert_int_equal(d->class->resize(d, 0), 0);
	assert_int_equal(guest_dev_config(&g, 0, 8), SECTORS / 2);
	assert_int_equal(guest_blk_transfer(&g, IN, SECTORS / 2, at, 4096), 1);
	assert_int_equal(d->class->resize(d, 1000), -EINVAL);
	assert_int_equal(guest_dev_config(&g, 0, 8), SECTORS / 2);
	guest_dev_drop(&g);
	make_with("threads", ",range=0/8", 1);
	d = device_find("virtio-blk");
	assert_int_equal(d->class->resize(d, 0), -EOPNOTSUPP);
	guest_dev_drop(&g);
	make_with("threads", ",ro", 1);
	d = device_find("virtio-blk");
	assert_int_equal(d->class->resize(d, 4096), -EROFS);
}

/* Are there so many threads of a disk, so many of them only on that CPU? One that was joined may be seen a while. */
static bool threads_are(unsigned int all, unsigned int bound, unsigned int cpu)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;

	while ((e = readdir(dir)) != NULL) {
		char file[300], comm[32] = "";
		cpu_set_t set;
		FILE *f;

		snprintf(file, sizeof(file), "/proc/self/task/%s/comm", e->d_name);
		f = fopen(file, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) && strcmp(comm, "virtio-blk\n") == 0 &&
		    sched_getaffinity(atoi(e->d_name), sizeof(set), &set) == 0) {
			all--;
			bound -= CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set);
		}
		fclose(f);
	}
	closedir(dir);
	return all == 0 && bound == 0;
}

/* The first of the CPUs that we may use, if there are others. */
static bool a_cpu_of_several(unsigned int *cpu)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (*cpu = 0; !CPU_ISSET(*cpu, &set); (*cpu)++)
		;
	return CPU_COUNT(&set) > 1;
}

static void iothreads_run_where_they_are_told(void **state)
{
	char before[64];
	unsigned int cpu;

	(void)state;
	if (!a_cpu_of_several(&cpu))
		skip();
	snprintf(before, sizeof(before), "iothread=2@%u/*,mq=2,", cpu);
	if (guest_blk_has_uring()) {
		make(before, path, ",aio=io_uring", 2);
		assert_true(BECOMES(threads_are(2, 1, cpu)));
		guest_dev_drop(&g);
	}
	snprintf(before, sizeof(before), "mq=2,iothread=2@%u,", cpu);
	make(before, path, "", 2);
	assert_true(BECOMES(threads_are(8, 4, cpu)));
	guest_dev_drop(&g);
	make("mq=64,", path, "", 2);	/* no more queues than vCPUs */
	assert_int_equal(guest_dev_config(&g, 34, 2), FAKE_VCPUS);
}

static int add_disk(unsigned int slot, const char *after)
{
	struct pci_func *f = pci_func_create(0, slot, 0, "virtio-blk");
	char opts[128];
	int err;

	snprintf(opts, sizeof(opts), "%s%s", path, after);
	err = device_create(device_class_find("virtio-blk"), f, opts);
	if (err)
		pci_func_destroy(f);
	return err;
}

static void image_is_locked_as_it_is_used(void **state)
{
	(void)state;
	make("", path, ",ro", 1);
	assert_int_equal(add_disk(4, ",ro"), 0);
	assert_true(add_disk(5, "") < 0);
	guest_dev_drop(&g);
	make("", path, ",range=0/8", 1);
	assert_int_equal(add_disk(4, ",range=8/8"), 0);
	assert_true(add_disk(5, ",range=15/2") < 0);
	assert_true(add_disk(6, "") < 0);
}

static void nocache_wants_sectors_that_the_host_has(void **state)
{
	char opts[128];

	(void)state;
	snprintf(opts, sizeof(opts), "%s,nocache,range=1/8,sectorsize=512", path);
	if (!reads_directly()) {
		assert_true(guest_dev_make(&g, "virtio-blk", opts, true, true) < 0);
		return;
	}
	make("", path, ",nocache", 1);
	assert_true(guest_dev_config(&g, 20, 4) >= 512);
	assert_int_equal(SECTORS * 512 % guest_dev_config(&g, 20, 4), 0);
}

struct test_list virtio_blk_io_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(each_engine_moves_data_of_any_alignment),
		TEST(many_requests_on_four_queues_complete_in_both_engines),
		TEST(zeroes_are_written_with_and_without_their_blocks),
		TEST(flush_and_write_through_reach_the_host),
		TEST(image_cut_under_the_guest_gives_errors_and_nothing_else),
		TEST(host_that_refuses_writes_gives_errors_and_nothing_else),
		TEST(full_host_gives_errors_and_nothing_else),
		TEST(disk_that_fails_gives_errors_and_comes_back),
		TEST(slow_disk_stops_neither_other_requests_nor_a_reset),
		TEST(reset_with_requests_in_the_ring_of_the_kernel_touches_nothing_after),
		TEST(disk_changes_its_size_while_it_runs),
		TEST(iothreads_run_where_they_are_told),
		TEST(image_is_locked_as_it_is_used),
		TEST(nocache_wants_sectors_that_the_host_has),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
