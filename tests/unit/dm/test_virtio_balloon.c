/* SPDX-License-Identifier: BSD-3-Clause */
/* virtio-balloon: what a driver gives up goes to the host by pieces of 2 MiB, and comes again. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_hsm_memory.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "memory.h"
#include "virtio/virtio.h"
#include "vm.h"

#define MIB		(1ull << 20)
#define PIECE		(2 * MIB)
#define PAGES		512u	/* of a piece */
#define REPORTING	(1ull << 5)

enum { INFLATE, DEFLATE, REPORT };

static struct guest_dev g;
static enum vm_request wanted;

void vm_request(enum vm_request what)
{
	wanted = what;
}

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	memset(&fake_hsm_memory, 0, sizeof(fake_hsm_memory));
	fake_hsm_memory.can_take_back = fake_hsm_memory.can_fetch = true;
	guest_memory_make();
	return memory_map_guest(true);
}

static int teardown(void **state)
{
	(void)state;
	guest_dev_drop(&g);
	guest_memory_drop();
	config.slot_count = 0;
	return 0;
}

static void start(bool modern, bool packed)
{
	assert_int_equal(guest_dev_make(&g, "virtio-balloon", "", modern, true), 0);
	g.packed = packed;
	guest_dev_start(&g, ~0ull, 3);
}

/* One request of n page numbers from first on, by step. */
static void request(unsigned int queue, uint32_t first, unsigned int n, uint32_t step)
{
	uint64_t at = guest_alloc(n * 4, 4);
	uint32_t *pfn = guest_at(at);
	struct vring_used_elem e;

	for (unsigned int i = 0; i < n; i++)
		pfn[i] = first + i * step;
	ring_add(&g.ring[queue], &(struct guest_seg){ at, n * 4 }, 1, 0);
	guest_dev_kick(&g, queue);
	assert_true(ring_wait(&g.ring[queue], &e));
}

static void report(uint64_t gpa, uint32_t len)
{
	struct vring_used_elem e;

	ring_add(&g.ring[REPORT], &(struct guest_seg){ gpa, len }, 0, 1);
	guest_dev_kick(&g, REPORT);
	assert_true(ring_wait(&g.ring[REPORT], &e));
}

static void give_up_piece(unsigned int piece)
{
	request(INFLATE, piece * PAGES, PAGES / 2, 1);
	request(INFLATE, piece * PAGES + PAGES / 2, PAGES / 2, 1);
}

static void memory_goes_by_pieces_and_comes_empty(void **state)
{
	(void)state;
	for (unsigned int mode = 0; mode < 3; mode++) {
		char *p = guest_at(5 * PIECE);

		start(mode > 0, mode > 1);
		memset(p, 'x', PIECE);
		request(INFLATE, 5 * PAGES, PAGES - 1, 1);
		assert_int_equal(fake_hsm_memory.mapped[5], 1);
		assert_int_equal(p[PIECE - 1], 'x');
		request(INFLATE, 6 * PAGES - 1, 1, 1);
		assert_int_equal(fake_hsm_memory.mapped[5], 0);
		assert_int_equal(mem_taken(), PIECE);
		assert_int_equal(p[0], 0);
		request(DEFLATE, 5 * PAGES + 77, 1, 1);
		assert_int_equal(fake_hsm_memory.mapped[5], 1);
		assert_int_equal(mem_taken(), 0);
		request(INFLATE, 5 * PAGES + 77, 1, 1);
		assert_int_equal(fake_hsm_memory.mapped[5], 0);
		request(DEFLATE, 5 * PAGES, PAGES, 1);
		assert_int_equal(fake_hsm_memory.mapped[5], 1);
		guest_dev_drop(&g);
	}
}

static void free_ranges_go_and_come_when_touched(void **state)
{
	(void)state;
	start(true, false);
	memset(guest_at(7 * PIECE), 'x', PIECE);
	report(6 * PIECE + MIB, 5 * MIB);	/* half of 6, 7, 8 */
	assert_int_equal(fake_hsm_memory.mapped[6], 1);
	assert_int_equal(fake_hsm_memory.mapped[7], 0);
	assert_int_equal(fake_hsm_memory.mapped[8], 0);
	assert_int_equal(mem_taken(), 2 * PIECE);
	/* what a request of the hypervisor does; twice, when two vCPUs touch it */
	assert_int_equal(mem_give(7 * PIECE + 12345), 0);
	assert_int_equal(mem_give(7 * PIECE), 0);
	assert_int_equal(fake_hsm_memory.mapped[7], 1);
	assert_int_equal(*(char *)guest_at(7 * PIECE), 0);
	/* a free range can be put into the balloon, too */
	give_up_piece(8);
	assert_int_equal(fake_hsm_memory.mapped[8], 0);
	request(DEFLATE, 8 * PAGES, PAGES, 1);
	assert_int_equal(fake_hsm_memory.mapped[8], 1);
}

static void nonsense_moves_nothing(void **state)
{
	(void)state;
	start(true, false);
	request(INFLATE, 0x10000000, 8, 1);	/* far outside */
	request(INFLATE, 64 * MIB / 4096, 8, 1);
	request(INFLATE, 0xffffffff, 2, 0);
	request(INFLATE, 9 * PAGES, 1024, 0);	/* one page again and again */
	request(DEFLATE, 9 * PAGES + 1, PAGES - 1, 1);	/* never given */
	ring_add(&g.ring[INFLATE], &(struct guest_seg){ guest_alloc(16, 4), 3 }, 1, 0);
	ring_add(&g.ring[INFLATE], &(struct guest_seg){ guest_alloc(16, 4), 16 }, 0, 1);
	ring_add(&g.ring[REPORT], &(struct guest_seg){ 9 * PIECE, PIECE }, 1, 0);
	guest_dev_kick(&g, INFLATE);
	guest_dev_kick(&g, REPORT);
	report(9 * PIECE + 1, PIECE);
	report(9 * PIECE + 4096, PIECE);
	assert_int_equal(mem_taken(), 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(fake_hsm_memory.mapped[i], 1);
	assert_int_equal(guest_dev_status(&g), 15);
}

static void target_reaches_the_driver(void **state)
{
	const struct dm_device_class *class;

	(void)state;
	start(true, false);
	class = device_class_find("virtio-balloon");
	assert_int_equal(guest_dev_config(&g, 0, 4), 0);
	guest_store(g.modern_base + 16, 2, 0);	/* the vector of the configuration */
	assert_int_equal(class->balloon(device_of(g.f), 8 * MIB), 0);
	assert_true(fake_msi_wait(0, 1));
	assert_int_equal(guest_dev_config(&g, 0, 4), 8 * MIB / 4096);
	guest_dev_write_config(&g, 4, 4, 2048);
	assert_int_equal(guest_dev_config(&g, 4, 4), 2048);
	guest_dev_write_config(&g, 0, 4, 1);	/* not its to write */
	assert_int_equal(guest_dev_config(&g, 0, 4), 8 * MIB / 4096);
}

static void reset_gives_all_back(void **state)
{
	(void)state;
	start(true, false);
	give_up_piece(10);
	report(11 * PIECE, PIECE);
	assert_int_equal(mem_taken(), 2 * PIECE);
	guest_dev_reset(&g);
	assert_int_equal(mem_taken(), 0);
	guest_dev_start(&g, ~0ull, 3);
	give_up_piece(10);	/* none of its pages is remembered as given up */
	assert_int_equal(fake_hsm_memory.mapped[10], 0);
	device_reset_all();
	assert_int_equal(mem_taken(), 0);
	assert_int_equal(fake_hsm_memory.mapped[10], 1);
}

static void what_cannot_be_taken_stays(void **state)
{
	(void)state;
	start(true, false);
	fake_hsm_memory.error = -EPERM;
	give_up_piece(12);
	report(13 * PIECE, PIECE);
	assert_int_equal(mem_taken(), 0);
	fake_hsm_memory.error = 0;
	request(DEFLATE, 12 * PAGES, PAGES, 1);
	assert_int_equal(fake_hsm_memory.mapped[12], 1);
}

static void a_vm_whose_memory_is_lost_ends(void **state)
{
	(void)state;
	start(true, false);
	give_up_piece(14);
	wanted = VM_NONE;
	fake_hsm_memory.error = -ENOMEM;
	request(DEFLATE, 14 * PAGES, 1, 1);
	assert_int_equal(wanted, VM_FAILED);
	fake_hsm_memory.error = 0;
}

static void only_what_is_sound_is_offered(void **state)
{
	(void)state;
	start(true, false);
	assert_true(guest_dev_offered(&g) & REPORTING);
	assert_int_equal(fake_hsm_memory.fetch_len, 64 * MIB);
	guest_dev_drop(&g);
	/* a device of the machine's does not fetch what it writes to */
	config.slot[0].driver = "passthru";
	config.slot_count = 1;
	assert_int_equal(guest_dev_make(&g, "virtio-balloon", "", true, true), 0);
	assert_false(guest_dev_offered(&g) & REPORTING);
	config.slot_count = 0;
	guest_dev_drop(&g);
	fake_hsm_memory.can_fetch = false;
	assert_int_equal(guest_dev_make(&g, "virtio-balloon", "", true, true), 0);
	assert_false(guest_dev_offered(&g) & REPORTING);
	guest_dev_drop(&g);
	assert_int_equal(guest_dev_make(&g, "virtio-balloon", "huge", true, true), -EINVAL);
	/* an HSM that takes nothing back */
	fake_hsm_memory.can_take_back = false;
	guest_memory_drop();
	guest_memory_make();
	assert_int_equal(memory_map_guest(true), 0);
	assert_int_equal(guest_dev_make(&g, "virtio-balloon", "", true, true), -EOPNOTSUPP);
}

struct test_list virtio_balloon_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(memory_goes_by_pieces_and_comes_empty),
		TEST(free_ranges_go_and_come_when_touched),
		TEST(nonsense_moves_nothing),
		TEST(target_reaches_the_driver),
		TEST(reset_gives_all_back),
		TEST(what_cannot_be_taken_stays),
		TEST(a_vm_whose_memory_is_lost_ends),
		TEST(only_what_is_sound_is_offered),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
