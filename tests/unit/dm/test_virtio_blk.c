/* SPDX-License-Identifier: BSD-3-Clause */
/* virtio-blk over a file: data, flush, id, read-only, discard, ranges, options, and requests that are wrong. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_guest_blk.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "virtio/virtio.h"

#define SECTORS	2048u

static struct guest_dev g;
static char path[64];
static bool packed;

static int setup(void **state)
{
	int fd;

	(void)state;
	fake_hsm_reset();
	packed = false;
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
	guest_dev_drop(&g);
	unlink(path);
	guest_memory_drop();
	return 0;
}

/* before PATH after */
static int try_make(const char *before, const char *after, bool modern)
{
	char opts[256];

	snprintf(opts, sizeof(opts), "%s%s%s", before, path, after);
	return guest_dev_make(&g, "virtio-blk", opts, modern, true);
}

static void make(const char *before, const char *after, bool modern, unsigned int rings)
{
	assert_int_equal(try_make(before, after, modern), 0);
	g.packed = packed;
	guest_dev_start(&g, ~0ull, rings);
}

static uint64_t submit(unsigned int ring, const struct blk_ask *r)
{
	return guest_blk_submit(&g, ring, r);
}

static uint8_t run(const struct blk_ask *r)
{
	return guest_blk_run(&g, r);
}

static uint8_t transfer(uint32_t type, uint64_t sector, uint64_t data, uint32_t len)
{
	return guest_blk_transfer(&g, type, sector, data, len);
}

static void data_survives_in_every_mode(void **state)
{
	(void)state;
	for (unsigned int mode = 0; mode < 8; mode++) {
		uint64_t out, in;

		fake_hsm_reset();
		fake_no_ioeventfd = mode & 2;
		packed = mode & 4;
		make("", mode & 1 ? "" : ",writeback", mode & 1, 1);
		out = guest_alloc(65536, 4096);
		in = guest_alloc(65536, 4096);
		for (unsigned int i = 0; i < 65536; i++)
			*((uint8_t *)guest_at(out) + i) = (uint8_t)(i * 7 + i / 256 + mode);
		assert_int_equal(transfer(1, 100, out, 65536), 0);
		assert_int_equal(transfer(0, 100, in, 65536), 0);
		assert_memory_equal(guest_at(in), guest_at(out), 65536);
		assert_int_equal(transfer(4, 0, 0, 0), 0);
		guest_dev_drop(&g);
	}
}

static void configuration_tells_the_truth(void **state)
{
	(void)state;
	make("", ",writeback,sectorsize=512/4096,discard=1000:4:8", true, 1);
	assert_int_equal(guest_dev_config(&g, 0, 8), SECTORS);
	assert_int_equal(guest_dev_config(&g, 12, 4), 126);
	assert_int_equal(guest_dev_config(&g, 20, 4), 512);
	assert_int_equal(guest_dev_config(&g, 24, 1), 3);
	assert_int_equal(guest_dev_config(&g, 32, 1), 1);
	assert_int_equal(guest_dev_config(&g, 36, 4), 1000);
	assert_int_equal(guest_dev_config(&g, 40, 4), 4);
	assert_int_equal(guest_dev_config(&g, 44, 4), 8);
	guest_dev_write_config(&g, 32, 1, 0);
	assert_int_equal(guest_dev_config(&g, 32, 1), 0);
	assert_int_equal(guest_dev_config(&g, 48, 4), 1 << 21);
	assert_int_equal(guest_dev_config(&g, 56, 1), 1);
	assert_int_equal(guest_dev_config(&g, 60, 4), 0);
	assert_int_equal(guest_dev_config(&g, 0xff8, 8), 0);
	guest_dev_reset(&g);
	assert_int_equal(guest_dev_config(&g, 32, 1), 1);
	assert_int_equal(guest_dev_offered(&g) & 0xffffff,
			 1 << 2 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 14);
}

static void id_names_the_disk(void **state)
{
	uint64_t at;
	char id[21] = "";

	(void)state;
	make("", "", true, 1);
	at = guest_alloc(20, 16);
	assert_int_equal(run(&(struct blk_ask){ 8, 0, at, 20, true }), 0);
	memcpy(id, guest_at(at), 20);
	assert_memory_equal(id, "ACRN--", 6);
	assert_int_equal(id[10], '-');
	assert_int_equal(id[15], '-');
	assert_int_equal(strlen(id), 20);
}

static void read_only_disk_refuses_writes(void **state)
{
	uint64_t at;

	(void)state;
	make("", ",ro", true, 1);
	assert_true(guest_dev_offered(&g) & 1 << 5);
	at = guest_alloc(512, 512);
	assert_int_equal(transfer(0, 0, at, 512), 0);
	assert_int_equal(transfer(1, 0, at, 512), 1);
	assert_int_equal(transfer(4, 0, 0, 0), 0);
}

static void requests_past_the_end_fail(void **state)
{
	static const uint64_t bad[] = {
		SECTORS, SECTORS - 1, UINT64_MAX, UINT64_MAX / 512, UINT64_MAX - 1, 1ull << 54,
	};
	uint64_t at;

	(void)state;
	make("", "", true, 1);
	at = guest_alloc(1024, 512);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(transfer(0, bad[i], at, 1024), 1);
		assert_int_equal(transfer(1, bad[i], at, 1024), 1);
	}
	assert_int_equal(transfer(1, SECTORS - 2, at, 1024), 0);
	assert_int_equal(transfer(1, 0, at, 100), 1);
	assert_int_equal(transfer(77, 0, at, 512), 2);
}

static void range_is_all_the_guest_sees(void **state)
{
	uint64_t at;
	char byte = 0;
	int fd;

	(void)state;
	make("", ",range=16/32", true, 1);
	assert_int_equal(guest_dev_config(&g, 0, 8), 32);
	at = guest_alloc(512, 512);
	memset(guest_at(at), 'x', 512);
	assert_int_equal(transfer(1, 31, at, 512), 0);
	assert_int_equal(transfer(1, 32, at, 512), 1);
	fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, (16 + 31) * 512), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(pread(fd, &byte, 1, (16 + 32) * 512), 1);
	assert_int_equal(byte, 0);
	close(fd);
}

static void discard_frees_the_blocks(void **state)
{
	uint64_t at, before;

	(void)state;
	make("", ",writeback,discard", true, 1);
	at = guest_alloc(65536, 4096);
	memset(guest_at(at), 'x', 65536);
	assert_int_equal(transfer(1, 0, at, 65536), 0);
	before = guest_blk_sectors_on_disk(path);
	memcpy(guest_at(at), &(uint64_t[]){ 0, 128 }, 16);
	assert_int_equal(run(&(struct blk_ask){ 11, 0, at, 16, false }), 0);
	if (before >= 128)	/* a file system that tells */
		assert_in_range(guest_blk_sectors_on_disk(path), 0, before - 64);
	assert_int_equal(transfer(0, 0, at, 512), 0);
	assert_int_equal(*(char *)guest_at(at), 0);
	memcpy(guest_at(at), &(uint64_t[]){ SECTORS, 1 }, 16);
	assert_int_equal(run(&(struct blk_ask){ 11, 0, at, 16, false }), 1);
	memcpy(guest_at(at), &(uint64_t[]){ 0, 1ull << 32 | 1 }, 16);
	assert_int_equal(run(&(struct blk_ask){ 11, 0, at, 16, false }), 2);
}

static void request_without_header_or_status_asks_for_a_reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct guest_seg segs[] = { { guest_alloc(16, 16), i ? 15 : 16 }, { guest_alloc(16, 16), 1 } };

		make("", "", true, 1);
		ring_add(&g.ring[0], segs, 1, i ? 1 : 0);
		for (unsigned int n = 0; n < 8; n++)	/* nobody takes these, and nobody spins on them */
			submit(0, &(struct blk_ask){ 4, 0, 0, 0, false });
		assert_true(BECOMES(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET));
		guest_dev_start(&g, ~0ull, 1);
		assert_int_equal(transfer(4, 0, 0, 0), 0);
		guest_dev_drop(&g);
	}
}

static void many_requests_on_two_queues_all_complete(void **state)
{
	uint64_t data;
	unsigned int done = 0;

	(void)state;
	packed = true;
	make("iothread,mq=2,", ",writeback", true, 2);
	assert_int_equal(guest_dev_config(&g, 34, 2), 2);
	data = guest_alloc(32 * 4096, 4096);
	for (unsigned int i = 0; i < 50; i++) {
		uint64_t status[2][16];

		for (unsigned int n = 0; n < 32; n++) {
			struct blk_ask r = { n & 4 ? 0 : 1, n * 8, data + n * 4096, 4096, n & 4 };

			status[n & 1][n / 2] = submit(n & 1, &r);
		}
		for (unsigned int n = 0; n < 32; n++) {
			struct vring_used_elem e;

			assert_true(ring_wait(&g.ring[n & 1], &e));
			done++;
		}
		for (unsigned int n = 0; n < 32; n++)
			assert_int_equal(*(uint8_t *)guest_at(status[n & 1][n / 2]), 0);
	}
	assert_int_equal(done, 1600);
}

static void cve_2021_36144_reset_in_the_middle_of_io_touches_nothing_after(void **state)
{
	enum { LEN = 1 << 18 };
	uint64_t data;

	(void)state;
	make("", ",writeback", true, 1);
	data = guest_alloc(8 * LEN, 4096);
	for (unsigned int i = 0; i < 200; i++) {
		for (unsigned int n = 0; n < 8; n++)
			submit(0, &(struct blk_ask){ 0, 0, data + n * LEN, LEN, true });
		guest_dev_reset(&g);
		memset(guest_at(data), 0xa5, 8 * LEN);
		usleep(100);
		for (unsigned int n = 0; n < 8 * LEN; n += 4096)
			assert_int_equal(*((uint8_t *)guest_at(data) + n), 0xa5);
		if (i % 10 == 9) {	/* the bump allocator of the fake does not free */
			guest_dev_drop(&g);
			guest_memory_drop();
			guest_memory_make();
			make("", ",writeback", true, 1);
			data = guest_alloc(8 * LEN, 4096);
		} else {
			guest_dev_start(&g, ~0ull, 1);
			assert_int_equal(ring_used(&g.ring[0])->idx, 0);
		}
	}
}

static void wrong_options_are_refused(void **state)
{
	static const char *const bad[] = {
		",foo", ",sectorsize=513", ",sectorsize=4096/512", ",range=0/0", ",range=2048/1", ",range=1",
		",nocache=1", ",aio", ",aio=fast", ",discard=1", ",ro=1", ",",
	};
	static const char *const prefix[] = {
		"mq=0,", "mq=99,", "mq=x,", "/nowhere", "iothread=0,", "iothread=17,", "iothread=1@,",
		"iothread=1@9999,",
		"iothread=1@0/0,", "iothread=1@0:,", "iothread@0x,", "iothreads,",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(try_make("", bad[i], true) < 0);
	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++)
		assert_true(try_make(prefix[i], "", true) < 0);
	assert_true(guest_dev_make(&g, "virtio-blk", "", true, true) < 0);
	assert_true(guest_dev_make(&g, "virtio-blk", "iothread", true, true) < 0);
	assert_int_equal(truncate(path, 513), 0);
	assert_true(try_make("", "", true) < 0);
}

static void one_disk_is_not_given_to_two(void **state)
{
	struct pci_func *f;

	(void)state;
	make("", ",aio=threads,no_bst_block,writethru", true, 1);
	f = pci_func_create(0, 4, 0, "virtio-blk");
	assert_true(device_create(device_class_find("virtio-blk"), f, path) < 0);
	pci_func_destroy(f);
}

static void no_disk_has_no_sectors(void **state)
{
	uint64_t at;

	(void)state;
	assert_int_equal(guest_dev_make(&g, "virtio-blk", "nodisk", true, true), 0);
	guest_dev_start(&g, ~0ull, 1);
	assert_int_equal(guest_dev_config(&g, 0, 8), 0);
	assert_int_equal(guest_dev_config(&g, 20, 4), 512);
	at = guest_alloc(512, 512);
	assert_int_equal(transfer(0, 0, at, 512), 1);
}

static void disk_can_come_later_once(void **state)
{
	struct dm_device *d;
	char medium[128];
	uint64_t at;

	(void)state;
	assert_int_equal(guest_dev_make(&g, "virtio-blk", "nodisk", true, true), 0);
	guest_dev_start(&g, ~0ull, 1);
	guest_store(g.modern_base + 16, 2, 0);	/* configuration changes: vector 0 */
	d = device_find("virtio-blk");
	assert_true(d->class->rescan(d, "/nowhere") < 0);
	snprintf(medium, sizeof(medium), "%s,sectorsize=4096", path);
	assert_true(d->class->rescan(d, medium) < 0);
	assert_int_equal(d->class->rescan(d, path), 0);
	assert_true(fake_msi_wait(0, 1));
	assert_int_equal(guest_dev_config(&g, 0, 8), SECTORS);
	at = guest_alloc(512, 512);
	assert_int_equal(transfer(0, 0, at, 512), 0);
	assert_true(d->class->rescan(d, path) < 0);
}

struct test_list virtio_blk_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(data_survives_in_every_mode),
		TEST(configuration_tells_the_truth),
		TEST(id_names_the_disk),
		TEST(read_only_disk_refuses_writes),
		TEST(requests_past_the_end_fail),
		TEST(range_is_all_the_guest_sees),
		TEST(discard_frees_the_blocks),
		TEST(request_without_header_or_status_asks_for_a_reset),
		TEST(many_requests_on_two_queues_all_complete),
		TEST(cve_2021_36144_reset_in_the_middle_of_io_touches_nothing_after),
		TEST(wrong_options_are_refused),
		TEST(one_disk_is_not_given_to_two),
		TEST(no_disk_has_no_sectors),
		TEST(disk_can_come_later_once),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
