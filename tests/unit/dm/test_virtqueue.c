/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring as a hostile guest can make it. Each test states one promise; those named after an advisory would fail if
 * we had made that mistake.
 */
#include "unit.h"

#include <string.h>

#include "dm/fake_guest.h"
#include "dm/virtio_tests.h"

static struct virtqueue vq;
static struct guest_ring ring;
static struct vq_chain chain;
static uint64_t buffer;

static int setup(void **state)
{
	(void)state;
	guest_memory_make();
	ring_make(&ring, 8);
	ring.setup.indirect = true;
	buffer = guest_alloc(4096, 4096);
	memset(&vq, 0, sizeof(vq));
	assert_true(vq_start(&vq, &ring.setup));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_memory_drop();
	return 0;
}

static void expect_broken(const char *why)
{
	assert_int_equal(vq_pop(&vq, &chain), -1);
	assert_int_equal(vq.state, VQ_BROKEN);
	assert_string_equal(vq.error, why);
	assert_null(vq.desc);
	assert_int_equal(vq_pop(&vq, &chain), 0);
	assert_false(vq_push(&vq, &chain, 0));
}

static void chain_is_popped_and_completed(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 }, { buffer + 16, 100 }, { buffer + 512, 1 } };
	uint16_t head = ring_add(&ring, segs, 2, 1);
	struct vring_used_elem e;

	(void)state;
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, head);
	assert_int_equal(chain.n_out, 2);
	assert_int_equal(chain.n_in, 1);
	assert_int_equal(chain.out_len, 116);
	assert_int_equal(chain.in_len, 1);
	assert_ptr_equal(chain.iov[1].iov_base, guest_at(buffer + 16));
	assert_int_equal(vq_pop(&vq, &chain), 0);
	assert_true(vq_push(&vq, &chain, 1));
	assert_true(ring_wait(&ring, &e));
	assert_int_equal(e.id, head);
	assert_int_equal(e.len, 1);
}

static void indices_wrap_around_at_65536(void **state)
{
	struct guest_seg seg = { buffer, 4 };

	(void)state;
	for (unsigned int i = 0; i < 70000; i++) {
		struct vring_used_elem e;
		uint16_t head = ring_add(&ring, &seg, 1, 0);

		assert_int_equal(vq_pop(&vq, &chain), 1);
		assert_int_equal(chain.head, head);
		assert_true(vq_push(&vq, &chain, 0));
		assert_true(ring_wait(&ring, &e));
		assert_int_equal(e.id, head);
	}
}

static void indirect_chain_is_followed(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 }, { buffer + 16, 100 } };

	(void)state;
	ring_add_indirect(&ring, segs, 1, 1);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.out_len, 16);
	assert_int_equal(chain.in_len, 100);
}

static void direct_descriptors_may_come_before_an_indirect_one(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 }, { buffer + 16, 100 } };
	uint16_t head;

	(void)state;
	head = ring_add_indirect(&ring, segs, 1, 1);
	*ring_desc(&ring, 5) = (struct vring_desc){ buffer + 256, 8, VRING_DESC_F_NEXT, head };
	ring_avail(&ring)->ring[0] = 5;
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.n_out, 2);
	assert_int_equal(chain.out_len, 24);
}

static void advisory_loop_in_a_chain_ends(void **state)
{
	(void)state;
	*ring_desc(&ring, 0) = (struct vring_desc){ buffer, 1, VRING_DESC_F_NEXT, 1 };
	*ring_desc(&ring, 1) = (struct vring_desc){ buffer, 1, VRING_DESC_F_NEXT, 0 };
	ring_offer(&ring, 0);
	expect_broken("chain is too long");
}

static void indirect_inside_indirect_is_refused(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 } };
	uint16_t head;
	struct vring_desc *t;

	(void)state;
	head = ring_add_indirect(&ring, segs, 1, 0);
	t = guest_at(ring_desc(&ring, head)->addr);
	t->flags = VRING_DESC_F_INDIRECT;
	expect_broken("indirect descriptor in a forbidden place");
}

static void indirect_that_was_not_negotiated_is_refused(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 } };

	(void)state;
	ring.setup.indirect = false;
	assert_true(vq_start(&vq, &ring.setup));
	ring_add_indirect(&ring, segs, 1, 0);
	expect_broken("indirect descriptor was not negotiated");
}

static void cve_2020_28346_address_outside_of_memory_is_refused(void **state)
{
	static const struct guest_seg bad[] = {
		{ 64ull << 20, 1 },
		{ (64ull << 20) - 4, 8 },
		{ 0xfee00000, 4 },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX - 3, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ring_make(&ring, 8);
		assert_true(vq_start(&vq, &ring.setup));
		ring_add(&ring, &bad[i], 1, 0);
		expect_broken("descriptor is not in guest memory");
	}
}

static void cve_2020_28346_indirect_table_outside_of_memory_is_refused(void **state)
{
	(void)state;
	*ring_desc(&ring, 0) = (struct vring_desc){ UINT64_MAX - 15, 32, VRING_DESC_F_INDIRECT, 0 };
	ring_offer(&ring, 0);
	expect_broken("indirect table is not in guest memory");
}

static void cve_2021_36143_ring_has_no_pointer_before_it_is_set_up(void **state)
{
	struct vq_mark mark;

	(void)state;
	memset(&vq, 0, sizeof(vq));
	assert_int_equal(vq_pop(&vq, &chain), 0);
	chain.life = vq.life;
	chain.head = 0;
	assert_false(vq_push(&vq, &chain, 0));
	assert_false(vq_has_work(&vq));
	assert_false(vq_should_interrupt(&vq));
	assert_false(vq_enable_notify(&vq));
	vq_disable_notify(&vq);
	vq_publish(&vq);
	mark = vq_mark(&vq);
	vq_rewind(&vq, &mark);
	vq_stop(&vq);
}

static void cve_2021_36143_bad_geometry_leaves_the_ring_off(void **state)
{
	const struct vq_setup good = ring.setup;
	struct vq_setup bad[9];

	(void)state;
	for (size_t i = 0; i < 9; i++)
		bad[i] = good;
	bad[0].size = 0;
	bad[1].size = 3;
	bad[2].size = 2048;
	bad[3].desc += 8;
	bad[4].avail += 1;
	bad[5].used += 2;
	bad[6].desc = 64ull << 20;
	bad[7].avail = (64ull << 20) - 4;
	bad[8].used = UINT64_MAX - 3;
	for (size_t i = 0; i < 9; i++) {
		assert_false(vq_start(&vq, &bad[i]));
		assert_non_null(vq.error);
		assert_int_equal(vq.state, VQ_OFF);
		assert_null(vq.desc);
		assert_int_equal(vq_pop(&vq, &chain), 0);
	}
}

static void cve_2021_36144_completion_of_an_old_life_is_dropped(void **state)
{
	struct guest_seg seg = { buffer, 4 };

	(void)state;
	ring_add(&ring, &seg, 0, 1);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	vq_stop(&vq);
	assert_false(vq_push(&vq, &chain, 4));
	assert_true(vq_start(&vq, &ring.setup));
	assert_false(vq_push(&vq, &chain, 4));
	assert_int_equal(ring_used(&ring)->idx, 0);
	assert_int_equal(ring_used(&ring)->ring[0].len, 0);
}

static void bad_chains_break_the_queue_and_nothing_else(void **state)
{
	static const struct {
		struct vring_desc d;
		const char *why;
	} bad[] = {
		{ { 0x1000, 0, 0, 0 }, "descriptor of length zero" },
		{ { 0x1000, 1, VRING_DESC_F_NEXT, 8 }, "descriptor index is past the table" },
		{ { 0x1000, 1, VRING_DESC_F_NEXT, 65535 }, "descriptor index is past the table" },
		{ { 0x1000, 0, VRING_DESC_F_INDIRECT, 0 }, "indirect table has a bad length" },
		{ { 0x1000, 17, VRING_DESC_F_INDIRECT, 0 }, "indirect table has a bad length" },
		{ { 0x1000, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1 },
		  "indirect descriptor in a forbidden place" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ring_make(&ring, 8);
		ring.setup.indirect = true;
		assert_true(vq_start(&vq, &ring.setup));
		*ring_desc(&ring, 0) = bad[i].d;
		ring_offer(&ring, 0);
		expect_broken(bad[i].why);
	}
}

static void readable_behind_writable_is_refused(void **state)
{
	(void)state;
	*ring_desc(&ring, 0) = (struct vring_desc){ buffer, 4, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1 };
	*ring_desc(&ring, 1) = (struct vring_desc){ buffer, 4, 0, 0 };
	ring_offer(&ring, 0);
	expect_broken("readable descriptor after a writable one");
}

static void head_past_the_table_is_refused(void **state)
{
	(void)state;
	ring_offer(&ring, 8);
	expect_broken("descriptor index is past the table");
}

static void avail_index_that_ran_ahead_is_refused(void **state)
{
	(void)state;
	ring_avail(&ring)->idx = 9;
	expect_broken("avail index ran ahead of the ring");
}

static void sum_of_lengths_that_leaves_32_bits_is_refused(void **state)
{
	struct vring_desc *t;
	uint64_t table = guest_alloc(128 * 16, 16);

	(void)state;
	t = guest_at(table);
	for (unsigned int i = 0; i < 128; i++)
		t[i] = (struct vring_desc){ 0, 60u << 20, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, (uint16_t)(i + 1) };
	*ring_desc(&ring, 0) = (struct vring_desc){ table, 128 * 16, VRING_DESC_F_INDIRECT, 0 };
	ring_offer(&ring, 0);
	expect_broken("chain is too large");
}

static void popped_chain_can_be_given_back(void **state)
{
	struct guest_seg seg = { buffer, 4 };
	uint16_t head = ring_add(&ring, &seg, 0, 1);
	struct vq_mark mark = vq_mark(&vq);

	(void)state;
	assert_int_equal(vq_pop(&vq, &chain), 1);
	vq_rewind(&vq, &mark);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, head);
}

static void interrupt_follows_the_driver_flag(void **state)
{
	struct guest_seg seg = { buffer, 4 };

	(void)state;
	assert_false(vq_should_interrupt(&vq));
	for (unsigned int wanted = 0; wanted < 2; wanted++) {
		ring_avail(&ring)->flags = wanted ? 0 : VRING_AVAIL_F_NO_INTERRUPT;
		ring_add(&ring, &seg, 0, 1);
		assert_int_equal(vq_pop(&vq, &chain), 1);
		assert_true(vq_push(&vq, &chain, 4));
		assert_int_equal(vq_should_interrupt(&vq), wanted);
	}
}

static void event_index_limits_interrupts_and_notifications(void **state)
{
	struct guest_seg seg = { buffer, 4 };
	uint16_t *used_event, *avail_event;

	(void)state;
	ring.setup.event_idx = true;
	assert_true(vq_start(&vq, &ring.setup));
	used_event = &ring_avail(&ring)->ring[8];
	avail_event = (uint16_t *)&ring_used(&ring)->ring[8];
	*used_event = 2;
	for (unsigned int i = 0; i < 4; i++) {
		ring_add(&ring, &seg, 0, 1);
		assert_int_equal(vq_pop(&vq, &chain), 1);
		assert_true(vq_push(&vq, &chain, 4));
		assert_int_equal(vq_should_interrupt(&vq), i == 2);
	}
	assert_int_equal(*avail_event, 4);
	vq_disable_notify(&vq);
	ring_add(&ring, &seg, 0, 1);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(*avail_event, 4);
	ring_add(&ring, &seg, 0, 1);
	assert_true(vq_enable_notify(&vq));
	assert_int_equal(*avail_event, 5);
}

static void notifications_are_switched_by_the_used_flag(void **state)
{
	struct guest_seg seg = { buffer, 4 };

	(void)state;
	vq_disable_notify(&vq);
	assert_int_equal(ring_used(&ring)->flags, VRING_USED_F_NO_NOTIFY);
	assert_false(vq_enable_notify(&vq));
	assert_int_equal(ring_used(&ring)->flags, 0);
	ring_add(&ring, &seg, 0, 1);
	assert_true(vq_enable_notify(&vq));
}

int main(void)
{
	const struct test_list packed = virtqueue_packed_tests();
	struct CMUnitTest all[64];
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(chain_is_popped_and_completed),
		TEST(indices_wrap_around_at_65536),
		TEST(indirect_chain_is_followed),
		TEST(direct_descriptors_may_come_before_an_indirect_one),
		TEST(advisory_loop_in_a_chain_ends),
		TEST(indirect_inside_indirect_is_refused),
		TEST(indirect_that_was_not_negotiated_is_refused),
		TEST(cve_2020_28346_address_outside_of_memory_is_refused),
		TEST(cve_2020_28346_indirect_table_outside_of_memory_is_refused),
		TEST(cve_2021_36143_ring_has_no_pointer_before_it_is_set_up),
		TEST(cve_2021_36143_bad_geometry_leaves_the_ring_off),
		TEST(cve_2021_36144_completion_of_an_old_life_is_dropped),
		TEST(bad_chains_break_the_queue_and_nothing_else),
		TEST(readable_behind_writable_is_refused),
		TEST(head_past_the_table_is_refused),
		TEST(avail_index_that_ran_ahead_is_refused),
		TEST(sum_of_lengths_that_leaves_32_bits_is_refused),
		TEST(popped_chain_can_be_given_back),
		TEST(interrupt_follows_the_driver_flag),
		TEST(event_index_limits_interrupts_and_notifications),
		TEST(notifications_are_switched_by_the_used_flag),
	};

	assert_true(sizeof(tests) + packed.count * sizeof(all[0]) <= sizeof(all));
	memcpy(all, tests, sizeof(tests));
	memcpy(&all[sizeof(tests) / sizeof(tests[0])], packed.tests, packed.count * sizeof(all[0]));
	return _cmocka_run_group_tests("virtqueue", all, sizeof(tests) / sizeof(tests[0]) + packed.count, NULL, NULL);
}
