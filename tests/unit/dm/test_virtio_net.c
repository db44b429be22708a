/* SPDX-License-Identifier: BSD-3-Clause */
/* virtio-net over a socket pair that keeps frames apart, in place of a tap. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "virtio/net.h"
#include "virtio/virtio.h"

#define RX		0u
#define TX		1u
#define BUFFER		1526u
#define HOST_HEADER	12u

static struct guest_dev g;
static int host;		/* our end of the cable */
static struct netdev device_end;
static const uint8_t mac[6] = { 0x02, 1, 2, 3, 4, 5 };
static uint8_t frame[70000];

/* Becomes a virtio-net device once it has its descriptor. */
static int wire_init(struct dm_device *d, const char *opts)
{
	struct virtio_net_setup s = { .modern = opts[0] != 'l' };
	int err;

	memcpy(s.mac, mac, sizeof(mac));
	err = virtio_net_create(d, &device_end, &s);

	d->class = device_class_find("virtio-net");
	return err;
}

static const struct dm_device_class wire = { .name = "wire", .kind = DM_PCI, .init = wire_init };
DM_DEVICE(wire);

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	return 0;
}

static void unplug(void)
{
	guest_dev_drop(&g);
	if (host >= 0)
		close(host);
	host = -1;
}

static int teardown(void **state)
{
	(void)state;
	unplug();
	guest_memory_drop();
	return 0;
}

static void plug(bool modern, uint64_t features)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int room = 1 << 20;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	host = ends[0];
	device_end = (struct netdev){ .queues = 1, .fd = { ends[1] } };
	setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(host, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(guest_dev_make(&g, "wire", modern ? "modern" : "legacy", modern, true), 0);
	guest_dev_start(&g, features, 2);
}

static unsigned int header(void)
{
	return virtio_has(g.f->priv, VIRTIO_F_VERSION_1) || virtio_has(g.f->priv, 15) ? 12 : 10;
}

static void give_buffers(unsigned int n, uint32_t len)
{
	for (unsigned int i = 0; i < n; i++) {
		struct guest_seg seg = { guest_alloc(len, 16), len };

		ring_add(&g.ring[RX], &seg, 0, 1);
	}
	guest_dev_kick(&g, RX);
}

static void host_sends(size_t len, uint8_t first)
{
	memset(frame, 0, HOST_HEADER);
	for (size_t i = 0; i < len; i++)
		frame[HOST_HEADER + i] = (uint8_t)(first + i * 3 + i / 256);
	assert_int_equal(send(host, frame, HOST_HEADER + len, 0), HOST_HEADER + len);
}

/* Takes one frame out of the receive ring and compares it with the one sent last. */
static void guest_receives(size_t len, unsigned int buffers)
{
	size_t done = 0;

	for (unsigned int i = 0; i < buffers; i++) {
		size_t skip = i == 0 ? header() : 0;
		struct vring_used_elem e;
		uint8_t *at;

		assert_true(ring_wait(&g.ring[RX], &e));
		at = guest_at(ring_desc(&g.ring[RX], (uint16_t)e.id)->addr);
		assert_true(e.len > skip);
		if (i == 0 && skip == 12)
			assert_int_equal(at[10], buffers);
		assert_true(done + e.len - skip <= len);
		assert_memory_equal(at + skip, frame + HOST_HEADER + done, e.len - skip);
		done += e.len - skip;
	}
	assert_int_equal(done, len);
}

static void guest_sends(size_t len, uint8_t fill)
{
	struct guest_seg segs[2] = { { guest_alloc(12, 16), header() }, { guest_alloc(len, 16), (uint32_t)len } };
	struct vring_used_elem e;

	memset(guest_at(segs[1].addr), fill, len);
	ring_add(&g.ring[TX], segs, 2, 0);
	guest_dev_kick(&g, TX);
	assert_true(ring_wait(&g.ring[TX], &e));
}

static void host_receives(size_t len, uint8_t fill)
{
	uint8_t got[4096];

	assert_int_equal(recv(host, got, sizeof(got), 0), HOST_HEADER + len);
	for (size_t i = 0; i < HOST_HEADER; i++)
		assert_int_equal(got[i], 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[HOST_HEADER + i], fill);
}

static void frames_pass_both_ways_in_every_mode(void **state)
{
	(void)state;
	for (unsigned int mode = 0; mode < 8; mode++) {
		uint64_t features = mode & 2 ? ~0ull : ~(1ull << 15);

		fake_hsm_reset();
		fake_no_ioeventfd = mode & 4;
		plug(mode & 1, features);
		give_buffers(32, BUFFER);
		for (unsigned int i = 0; i < 30; i++) {
			host_sends(60 + i * 48, (uint8_t)i);
			guest_receives(60 + i * 48, 1);
			guest_sends(60 + i * 48, (uint8_t)i);
			host_receives(60 + i * 48, (uint8_t)i);
		}
		unplug();
		guest_memory_drop();
		guest_memory_make();
	}
}

static void large_frame_is_laid_over_several_buffers(void **state)
{
	(void)state;
	plug(true, ~0ull);
	give_buffers(10, 512);
	host_sends(3000, 1);
	guest_receives(3000, 6);
	host_sends(500, 2);
	guest_receives(500, 1);
}

static void frame_waits_for_buffers(void **state)
{
	(void)state;
	plug(true, ~0ull);
	host_sends(100, 1);
	usleep(20000);
	assert_false(ring_has_used(&g.ring[RX]));
	give_buffers(1, BUFFER);
	guest_receives(100, 1);
	host_sends(1600, 7);
	give_buffers(1, 512);
	usleep(20000);
	assert_false(ring_has_used(&g.ring[RX]));
	give_buffers(3, 512);
	guest_receives(1600, 4);
}

static void frame_too_large_for_the_buffer_is_dropped(void **state)
{
	(void)state;
	plug(false, 0);
	give_buffers(2, 512);
	host_sends(600, 1);
	host_sends(100, 2);
	guest_receives(100, 1);
}

static void header_wishes_that_were_not_negotiated_go_nowhere(void **state)
{
	static const uint8_t wish[3][2] = { { 1, 0 }, { 0, 1 }, { 0, 0x7f } };
	uint8_t got[64];
	struct guest_seg segs[2] = { { 0, 12 }, { 0, 100 } };
	struct vring_used_elem e;

	(void)state;
	plug(true, ~0ull);
	segs[0].addr = guest_alloc(12, 16);
	segs[1].addr = guest_alloc(100, 16);
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(guest_at(segs[0].addr), wish[i], 2);
		ring_add(&g.ring[TX], segs, 2, 0);
		guest_dev_kick(&g, TX);
		assert_true(ring_wait(&g.ring[TX], &e));
	}
	assert_int_equal(recv(host, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void cve_2021_36147_kick_and_frames_before_setup_are_harmless(void **state)
{
	(void)state;
	plug(true, ~0ull);
	guest_dev_reset(&g);
	host_sends(100, 1);
	for (unsigned int i = 0; i < 100; i++) {
		guest_dev_kick(&g, RX);
		guest_dev_kick(&g, TX);
	}
	guest_dev_set_status(&g, 15);	/* DRIVER_OK with no ring at all */
	guest_dev_kick(&g, RX);
	guest_dev_kick(&g, TX);
	usleep(20000);
	assert_int_equal(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void cve_2021_36147_short_buffers_ask_for_a_reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct guest_seg seg = { 0, 5 };

		plug(true, ~0ull);
		seg.addr = guest_alloc(16, 16);
		ring_add(&g.ring[i], &seg, i == TX, i == RX);
		guest_dev_kick(&g, i);
		host_sends(100, 1);
		assert_true(BECOMES(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET));
		guest_dev_start(&g, ~0ull, 2);
		guest_sends(80, 9);
		host_receives(80, 9);
		unplug();
	}
}

static void cve_2021_36144_reset_under_traffic_is_clean(void **state)
{
	(void)state;
	plug(true, ~0ull);
	for (unsigned int i = 0; i < 60; i++) {
		give_buffers(16, BUFFER);
		for (unsigned int n = 0; n < 8; n++)
			host_sends(1000, 1);
		guest_dev_reset(&g);
		guest_dev_start(&g, ~0ull, 2);
		while (recv(host, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			;
	}
}

static void addresses_follow_the_seed(void **state)
{
	uint8_t a[6];

	(void)state;
	plug(true, ~0ull);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(guest_dev_config(&g, i, 1), mac[i]);
	assert_int_equal(guest_dev_config(&g, 6, 2), 1);
	virtio_net_auto_mac(4, 0, NULL, a);	/* as "printf 4-0 | md5sum" says */
	assert_memory_equal(a, "\x00\x16\x3e\x20\xfd\xcf", 6);
	virtio_net_auto_mac(4, 0, "seed", a);
	assert_memory_equal(a, "\x00\x16\x3e\x20\x29\x57", 6);
}

static void host_that_goes_away_is_survived(void **state)
{
	(void)state;
	plug(true, ~0ull);
	give_buffers(4, BUFFER);
	close(host);
	host = -1;
	usleep(20000);
	guest_sends(100, 1);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "tap=", "mac=00:11:22:33:44:55", "tap=t0,foo", "tap=t0,mac=1:2:3:4:5:6",
		"tap=t0,mac=01:00:00:00:00:01", "tap=a/b", "tap=0123456789abcdef", "tap=t0,user",
		"user,vhost", "user,queues=2",
		"tap=t0,queues=0", "tap=t0,queues=17", "tap=t0,queues=2x", "tap=t0,restrict",
		"tap=t0,hostfwd=tcp::1-:2",
		"user,hostfwd=tcp", "user,hostfwd=tcp::0-:22", "user,hostfwd=tcp::70000-:22", "user,hostfwd=sctp::1-:2",
		"user,hostfwd=tcp:127.0.0.1:1", "user,hostfwd=tcp:1.2.3:1-:2", "user,hostfwd=tcp::1-:x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(guest_dev_make(&g, "virtio-net", bad[i], true, true) < 0);
}

struct test_list virtio_net_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(frames_pass_both_ways_in_every_mode),
		TEST(large_frame_is_laid_over_several_buffers),
		TEST(frame_waits_for_buffers),
		TEST(frame_too_large_for_the_buffer_is_dropped),
		TEST(header_wishes_that_were_not_negotiated_go_nowhere),
		TEST(cve_2021_36147_kick_and_frames_before_setup_are_harmless),
		TEST(cve_2021_36147_short_buffers_ask_for_a_reset),
		TEST(cve_2021_36144_reset_under_traffic_is_clean),
		TEST(addresses_follow_the_seed),
		TEST(host_that_goes_away_is_survived),
		TEST(wrong_options_are_refused),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
