/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed ring, and what both rings promise: a driver and a device that do random things in random order always
 * agree on what was asked and what was answered.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "dm/fake_guest.h"
#include "dm/virtio_tests.h"

#define HELD	16u

static struct virtqueue vq;
static struct guest_ring ring;
static struct vq_chain chain;
static uint64_t buffer;

static void start(uint16_t size)
{
	ring_make_packed(&ring, size);
	ring.setup.indirect = true;
	assert_true(vq_start(&vq, &ring.setup));
}

static int setup(void **state)
{
	(void)state;
	guest_memory_make();
	buffer = guest_alloc(65536, 4096);
	memset(&vq, 0, sizeof(vq));
	start(8);
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
	assert_string_equal(vq.error, why);
	assert_null(vq.ring);
	assert_int_equal(vq_pop(&vq, &chain), 0);
	assert_false(vq_push(&vq, &chain, 0));
}

static void chains_of_any_length_wrap_around_in_rings_of_any_size(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 3, 7, 8, 100, 1024 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		start(sizes[s]);
		for (unsigned int i = 0; i < 3000; i++) {
			struct guest_seg segs[4];
			unsigned int n = 1 + i % (sizes[s] < 4 ? sizes[s] : 4);
			struct vring_used_elem e;
			uint16_t id;

			for (unsigned int k = 0; k < n; k++)
				segs[k] = (struct guest_seg){ buffer + 16 * k, k + 1 };
			id = ring_add(&ring, segs, n - 1, 1);
			assert_int_equal(vq_pop(&vq, &chain), 1);
			assert_int_equal(vq_pop(&vq, &(struct vq_chain){ 0 }), 0);
			assert_int_equal(chain.head, id);
			assert_int_equal(chain.count, n);
			assert_int_equal(chain.n_out, n - 1);
			assert_int_equal(chain.in_len, n);
			assert_true(vq_push(&vq, &chain, n));
			assert_true(ring_wait(&ring, &e));
			assert_int_equal(e.id, id);
			assert_int_equal(e.len, n);
		}
	}
}

static void indirect_table_is_followed(void **state)
{
	struct guest_seg segs[] = { { buffer, 16 }, { buffer + 16, 100 }, { buffer + 512, 1 } };

	(void)state;
	ring_add_indirect(&ring, segs, 1, 2);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.out_len, 16);
	assert_int_equal(chain.in_len, 101);
	assert_int_equal(chain.count, 1);
}

static void cve_2020_28346_bad_descriptors_break_the_queue_and_nothing_else(void **state)
{
	static const struct {
		struct vring_packed_desc d;
		const char *why;
	} bad[] = {
		{ { 0x1000, 0, 0, 0x80 }, "descriptor of length zero" },
		{ { 64ull << 20, 1, 0, 0x80 }, "descriptor is not in guest memory" },
		{ { UINT64_MAX, 1, 0, 0x80 }, "descriptor is not in guest memory" },
		{ { 0x1000, 1, 0, 0x81 }, "descriptor of length zero" },
		{ { 0x1000, 0, 0, 0x84 }, "indirect table has a bad length" },
		{ { 0x1000, 24, 0, 0x84 }, "indirect table has a bad length" },
		{ { UINT64_MAX - 15, 32, 0, 0x84 }, "indirect table is not in guest memory" },
		{ { 0x1000, 16, 0, 0x85 }, "indirect descriptor in a forbidden place" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(8);
		*ring_packed(&ring, 0) = bad[i].d;
		expect_broken(bad[i].why);
	}
}

static void chain_longer_than_the_ring_is_refused(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		*ring_packed(&ring, i) = (struct vring_packed_desc){ buffer, 1, 0, 0x81 };
	expect_broken("more requests than the ring has places");
}

static void request_in_a_place_that_is_in_work_is_refused(void **state)
{
	struct guest_seg segs[] = { { buffer, 4 }, { buffer, 4 } };

	(void)state;
	start(2);
	ring_add(&ring, segs, 1, 1);
	assert_int_equal(vq_pop(&vq, &chain), 1);
	*ring_packed(&ring, 0) = (struct vring_packed_desc){ buffer, 1, 0, 0x8000 };
	expect_broken("more requests than the ring has places");
}

static void cve_2021_36143_bad_geometry_leaves_the_ring_off(void **state)
{
	struct vq_setup bad[7];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		bad[i] = ring.setup;
	bad[0].size = 0;
	bad[1].size = 1025;
	bad[2].desc += 8;
	bad[3].avail += 2;
	bad[4].used += 2;
	bad[5].desc = (64ull << 20) - 16;
	bad[6].used = UINT64_MAX - 3;
	for (size_t i = 0; i < 7; i++) {
		assert_false(vq_start(&vq, &bad[i]));
		assert_non_null(vq.error);
		assert_null(vq.ring);
		assert_int_equal(vq_pop(&vq, &chain), 0);
	}
}

static void popped_chains_can_be_given_back_after_some_were_filled(void **state)
{
	struct guest_seg seg = { buffer, 4 };
	struct vq_mark mark = vq_mark(&vq);

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		ring_add(&ring, &seg, 0, 1);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(vq_pop(&vq, &chain), 1);
		assert_true(vq_fill(&vq, &chain, 4));
	}
	vq_rewind(&vq, &mark);
	vq_publish(&vq);
	assert_false(ring_has_used(&ring));
	assert_int_equal(vq_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, 0);
	assert_int_equal(chain.in_len, 4);
}

static void interrupts_follow_the_drivers_event_words(void **state)
{
	struct guest_seg seg = { buffer, 4 };
	struct vring_packed_event *event = guest_at(ring.setup.avail);

	(void)state;
	ring.setup.event_idx = true;
	assert_true(vq_start(&vq, &ring.setup));
	for (unsigned int i = 0; i < 20; i++) {
		struct vring_used_elem e;

		event->flags = i < 2 ? VRING_PACKED_EVENT_DISABLE : i < 4 ? VRING_PACKED_EVENT_ENABLE :
									    VRING_PACKED_EVENT_DESC;
		event->off_wrap = 0x8006;	/* place 6 of the first time round */
		if (i >= 12)
			event->off_wrap = 0x0005;	/* place 5 of the second */
		ring_add(&ring, &seg, 0, 1);
		assert_int_equal(vq_pop(&vq, &chain), 1);
		assert_true(vq_push(&vq, &chain, 4));
		assert_int_equal(vq_should_interrupt(&vq), i == 2 || i == 3 || i == 6 || i == 13);
		assert_true(ring_wait(&ring, &e));
	}
	assert_false(vq_should_interrupt(&vq));
}

static void notifications_are_switched_by_our_event_words(void **state)
{
	const struct vring_packed_event *event = guest_at(ring.setup.used);

	(void)state;
	vq_disable_notify(&vq);
	assert_int_equal(event->flags, VRING_PACKED_EVENT_DISABLE);
	assert_false(vq_enable_notify(&vq));
	assert_int_equal(event->flags, VRING_PACKED_EVENT_ENABLE);
	ring_add(&ring, &(struct guest_seg){ buffer, 4 }, 0, 1);
	assert_true(vq_enable_notify(&vq));
}

/* --- the property, of both rings --------------------------------------------------------------------- */

struct model {
	struct vq_chain held[HELD];
	unsigned int n_held;
	unsigned int free;		/* descriptors */
	uint32_t want[VQ_SIZE_MAX];	/* by head or id: bytes that the answer has; 0: not out */
	unsigned int used_by[VQ_SIZE_MAX];
	unsigned int seed;
};

static unsigned int chance(struct model *m, unsigned int n)
{
	return (unsigned int)rand_r(&m->seed) % n;
}

static void driver_asks(struct model *m)
{
	unsigned int n = 1 + chance(m, 4), n_out = chance(m, n + 1);
	bool indirect = chance(m, 3) == 0;
	unsigned int places = indirect ? 1 : n;
	struct guest_seg segs[4];
	uint16_t id, next = ring.setup.packed ? ring.next_id : ring.next_desc & (ring.setup.size - 1);

	for (unsigned int i = 0; i < n; i++)
		segs[i] = (struct guest_seg){ buffer + chance(m, 60000), 1 + chance(m, 5000) };
	for (unsigned int i = 0; i < places; i++)	/* the fake driver hands ids out round and round */
		if (m->want[(next + i) % ring.setup.size])
			return;
	if (places > m->free || m->n_held == HELD)
		return;
	id = indirect ? ring_add_indirect(&ring, segs, n_out, n - n_out) : ring_add(&ring, segs, n_out, n - n_out);
	m->free -= places;
	m->want[id] = 1;
	m->used_by[id] = places;
	for (unsigned int i = 1; i < places && !ring.setup.packed; i++)
		m->want[(id + i) % ring.setup.size] = UINT32_MAX;
}

static void device_takes(struct model *m)
{
	struct vq_mark mark = vq_mark(&vq);
	struct vq_chain *c = &m->held[m->n_held];

	if (m->n_held == HELD || vq_pop(&vq, c) != 1)
		return;
	if (chance(m, 4) == 0) {
		vq_rewind(&vq, &mark);
		return;
	}
	assert_int_equal(m->want[c->head], 1);
	m->want[c->head] = 2 + chance(m, 1000);
	m->n_held++;
}

static void device_answers(struct model *m)
{
	unsigned int n = chance(m, 3);

	for (; n > 0 && m->n_held > 0; n--) {
		unsigned int i = chance(m, m->n_held);

		assert_true(vq_fill(&vq, &m->held[i], m->want[m->held[i].head]));
		m->held[i] = m->held[--m->n_held];
	}
	vq_publish(&vq);
}

static void driver_reaps(struct model *m)
{
	while (ring_has_used(&ring)) {
		struct vring_used_elem e;

		assert_true(ring_wait(&ring, &e));
		assert_true(e.id < ring.setup.size);
		assert_int_equal(e.len, m->want[e.id]);
		m->free += m->used_by[e.id];
		m->want[e.id] = 0;
		for (unsigned int i = 1; i < m->used_by[e.id] && !ring.setup.packed; i++)
			m->want[(e.id + i) % ring.setup.size] = 0;
	}
}

static void driver_and_device_always_agree(void **state)
{
	static struct model m;

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		uint16_t size = (uint16_t)(1u << (1 + round % 6));

		if (round % 10 == 0) {	/* the fake's memory is not given back */
			guest_memory_drop();
			guest_memory_make();
			buffer = guest_alloc(65536, 4096);
		}
		memset(&m, 0, sizeof(m));
		m.free = size;
		m.seed = round;
		if (round & 1)
			ring_make_packed(&ring, (uint16_t)(size + (round & 2)));
		else
			ring_make(&ring, size);
		ring.setup.indirect = true;
		assert_true(vq_start(&vq, &ring.setup));
		for (unsigned int i = 0; i < 4000; i++) {
			void (*const act[])(struct model *) = {
				driver_asks, device_takes, device_answers, driver_reaps,
			};

			act[chance(&m, 4)](&m);
			assert_int_equal(vq.state, VQ_READY);
		}
	}
}

struct test_list virtqueue_packed_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(chains_of_any_length_wrap_around_in_rings_of_any_size),
		TEST(indirect_table_is_followed),
		TEST(cve_2020_28346_bad_descriptors_break_the_queue_and_nothing_else),
		TEST(chain_longer_than_the_ring_is_refused),
		TEST(request_in_a_place_that_is_in_work_is_refused),
		TEST(cve_2021_36143_bad_geometry_leaves_the_ring_off),
		TEST(popped_chains_can_be_given_back_after_some_were_filled),
		TEST(interrupts_follow_the_drivers_event_words),
		TEST(notifications_are_switched_by_our_event_words),
		TEST(driver_and_device_always_agree),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
