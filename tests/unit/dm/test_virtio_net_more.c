/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net with several queues and its control queue, over socket pairs; and the network of our own, where the guest
 * speaks ARP and DHCP with its gateway and a forwarded port of the host leads to it.
 */
#include "unit.h"

#include <arpa/inet.h>
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

#define PAIRS		2u
#define CTL		4u	/* the control queue of two pairs */
#define HEADER		12u
#define F_MQ		22u

static struct guest_dev g;
static int host[PAIRS];
static struct netdev ends;
static const uint8_t mac[6] = { 0x02, 1, 2, 3, 4, 5 };
static uint64_t buffers[64];	/* guest addresses, by head */

static int wire_init(struct dm_device *d, const char *opts)
{
	struct virtio_net_setup s = { .modern = true };
	int err;

	(void)opts;
	memcpy(s.mac, mac, sizeof(mac));
	err = virtio_net_create(d, &ends, &s);
	d->class = device_class_find("virtio-net");
	return err;
}

static const struct dm_device_class wires = { .name = "wires", .kind = DM_PCI, .init = wire_init };
DM_DEVICE(wires);

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	host[0] = host[1] = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_dev_drop(&g);
	for (unsigned int i = 0; i < PAIRS; i++)
		if (host[i] >= 0)
			close(host[i]);
	guest_memory_drop();
	return 0;
}

static void plug(uint64_t features, unsigned int rings)
{
	ends = (struct netdev){ .queues = PAIRS };
	for (unsigned int i = 0; i < PAIRS; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		host[i] = pair[0];
		ends.fd[i] = pair[1];
	}
	assert_int_equal(guest_dev_make(&g, "wires", "", true, true), 0);
	guest_dev_start(&g, features, rings);
}

static void give_buffer(unsigned int ring)
{
	struct guest_seg seg = { guest_alloc(2048, 16), 2048 };

	buffers[ring_add(&g.ring[ring], &seg, 0, 1)] = seg.addr;
	guest_dev_kick(&g, ring);
}

static void host_sends(unsigned int pair, const char *bytes, size_t len)
{
	uint8_t frame[2048] = { 0 };

	memcpy(frame + HEADER, bytes, len);
	assert_int_equal(write(host[pair], frame, HEADER + (len < 60 ? 60 : len)), HEADER + (len < 60 ? 60 : len));
}

/* The frame's length, and where it is. */
static size_t guest_receives(unsigned int ring, const uint8_t **at)
{
	struct vring_used_elem e;

	assert_true(ring_wait(&g.ring[ring], &e));
	*at = (const uint8_t *)guest_at(buffers[e.id]) + HEADER;
	return e.len - HEADER;
}

static void guest_sends(unsigned int ring, const void *bytes, size_t len)
{
	struct guest_seg seg = { guest_alloc(HEADER + len, 16), (uint32_t)(HEADER + len) };
	struct vring_used_elem e;

	memcpy((uint8_t *)guest_at(seg.addr) + HEADER, bytes, len);
	ring_add(&g.ring[ring], &seg, 1, 0);
	guest_dev_kick(&g, ring);
	assert_true(ring_wait(&g.ring[ring], &e));
}

static uint8_t command(unsigned int ring, const char *bytes, size_t len)
{
	struct guest_seg segs[2] = { { guest_alloc(len, 16), (uint32_t)len }, { guest_alloc(1, 16), 1 } };
	struct vring_used_elem e;

	memcpy(guest_at(segs[0].addr), bytes, len);
	*(uint8_t *)guest_at(segs[1].addr) = 0xff;
	ring_add(&g.ring[ring], segs, 1, 1);
	guest_dev_kick(&g, ring);
	assert_true(ring_wait(&g.ring[ring], &e));
	assert_int_equal(e.len, 1);
	return *(uint8_t *)guest_at(segs[1].addr);
}

#define COMMAND(ring, text)	command(ring, text, sizeof(text) - 1)
#define SEND(pair, text)	host_sends(pair, text, sizeof(text) - 1)

static void each_pair_of_queues_has_its_own_way(void **state)
{
	static const char word[] = "\xff\xff\xff\xff\xff\xff" "from";
	uint8_t got[2048];
	const uint8_t *at;

	(void)state;
	plug(~0ull, 5);
	assert_int_equal(guest_dev_config(&g, 8, 2), PAIRS);
	assert_int_equal(COMMAND(CTL, "\4\0\2\0"), 0);
	for (unsigned int i = 0; i < PAIRS; i++) {
		give_buffer(2 * i);
		SEND(i, word);
		assert_int_equal(guest_receives(2 * i, &at), 60);
		assert_memory_equal(at, word, sizeof(word) - 1);
		guest_sends(2 * i + 1, "to the host, and long enough", 28);
		assert_int_equal(read(host[i], got, sizeof(got)), HEADER + 28);
		assert_memory_equal(got + HEADER, "to the host", 11);
	}
	assert_int_equal(COMMAND(CTL, "\4\0\0\0"), 1);
	assert_int_equal(COMMAND(CTL, "\4\0\3\0"), 1);
	assert_int_equal(COMMAND(CTL, "\4\0\1"), 1);
}

static void control_queue_is_the_third_for_a_driver_without_mq(void **state)
{
	(void)state;
	plug(~(1ull << F_MQ), 3);
	assert_int_equal(COMMAND(2, "\0\0\1"), 0);
	assert_int_equal(COMMAND(2, "\4\0\1\0"), 1);	/* MQ was not accepted */
}

/* Sends a frame to that address, then one that always comes: which of them came first? */
static bool passes(const char *to)
{
	static const char always[] = "\2\1\2\3\4\5" "sentinel";
	const uint8_t *at;

	give_buffer(0);
	host_sends(0, to, 12 + (to[0] == 'v' ? 8 : 0));
	SEND(0, always);
	(void)guest_receives(0, &at);
	if (memcmp(at, always, sizeof(always) - 1) == 0)
		return false;
	give_buffer(0);
	(void)guest_receives(0, &at);
	return true;
}

static void frames_are_filtered_as_the_driver_says(void **state)
{
	static const char other[] = "\2\1\2\3\4\6other.", group[] = "\1\0\136\0\0\1group.",
			  all[] = "\xff\xff\xff\xff\xff\xff" "all...";

	(void)state;
	plug(~0ull, 5);
	assert_true(passes(other) && passes(group) && passes(all));
	assert_int_equal(COMMAND(CTL, "\0\0\0"), 0);		/* promiscuous no more */
	assert_false(passes(other));
	assert_false(passes(group));
	assert_true(passes(all));
	assert_int_equal(COMMAND(CTL, "\0\1\1"), 0);
	assert_true(passes(group));
	assert_int_equal(COMMAND(CTL, "\0\1\0"), 0);
	assert_int_equal(COMMAND(CTL, "\1\0\1\0\0\0\2\1\2\3\4\6\1\0\0\0\1\0\136\0\0\1"), 0);
	assert_true(passes(other) && passes(group));
	assert_int_equal(COMMAND(CTL, "\0\3\1"), 0);
	assert_false(passes(group));
	assert_int_equal(COMMAND(CTL, "\0\5\1"), 0);
	assert_false(passes(all));
	assert_int_equal(COMMAND(CTL, "\0\6\1"), 1);
	assert_int_equal(COMMAND(CTL, "\0\0"), 1);
	assert_int_equal(COMMAND(CTL, "\1\0\xff\xff\xff\xff\0"), 1);
	assert_int_equal(COMMAND(CTL, "\1\1\2\7\7\7\7"), 1);
	assert_int_equal(COMMAND(CTL, "\1\1\2\7\7\7\7\7"), 0);
	assert_int_equal(guest_dev_config(&g, 1, 1), 7);
	assert_int_equal(COMMAND(CTL, "\11\0\0"), 1);
	guest_dev_reset(&g);
	assert_int_equal(guest_dev_config(&g, 1, 1), 1);
}

static void vlans_pass_once_they_are_named(void **state)
{
	static const char tagged[] = "\2\1\2\3\4\5......\x81\0\0\5xxxxxxxx";
	static const char always[] = "\2\1\2\3\4\5" "sentinel";
	const uint8_t *at;

	(void)state;
	plug(~0ull, 5);
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const step[] = { NULL, "\2\0\1\0", "\2\0\5\0", "\2\1\5\0" };
		bool came;

		if (step[i])
			assert_int_equal(command(CTL, step[i], 4), 0);
		give_buffer(0);
		SEND(0, tagged);
		SEND(0, always);
		(void)guest_receives(0, &at);
		came = at[12] == 0x81;
		assert_int_equal(came, i == 0 || i == 2);
		if (came) {
			give_buffer(0);
			(void)guest_receives(0, &at);
		}
	}
	assert_int_equal(COMMAND(CTL, "\2\0\0\20"), 1);	/* 4096 */
}

static void command_without_room_for_its_answer_asks_for_a_reset(void **state)
{
	struct guest_seg seg = { guest_alloc(4, 16), 4 };

	(void)state;
	plug(~0ull, 5);
	ring_add(&g.ring[CTL], &seg, 1, 0);
	guest_dev_kick(&g, CTL);
	assert_true(BECOMES(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET));
}

/* --- the network of our own -------------------------------------------------------------------------- */

/* A socket that listens at a port of this machine; -1 where the loopback network is not there, or is down. */
static int take_port(unsigned int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
	bool ok = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0 &&
		  getsockname(fd, (struct sockaddr *)&a, &len) == 0 &&
		  connect(other, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(other);
	*port = ntohs(a.sin_port);
	if (ok)
		return fd;
	close(fd);
	return -1;
}

/* With a port that was free a moment ago. */
static bool make_with_forwarding(unsigned int *port)
{
	char opts[128];
	int fd = take_port(port);

	close(fd);
	snprintf(opts, sizeof(opts), "user,mac=02:01:02:03:04:05,hostfwd=tcp::%u-10.0.2.15:22", *port);
	return guest_dev_make(&g, "virtio-net", opts, true, true) == 0;
}

static void guest_knows_its_gateway(void)
{
	static const uint8_t ask[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1, 2, 3, 4, 5, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
		2, 1, 2, 3, 4, 5, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
	};
	const uint8_t *at;

	give_buffer(0);
	guest_sends(1, ask, sizeof(ask));
	assert_true(guest_receives(0, &at) >= 42);
	assert_memory_equal(at, "\2\1\2\3\4\5", 6);
	assert_int_equal(at[21], 2);		/* an answer */
	assert_memory_equal(at + 28, "\12\0\2\2", 4);
}

static void own_network_answers_and_forwards(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const uint8_t *at;
	unsigned int port;
	int fd = take_port(&port);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	assert_true(BECOMES(make_with_forwarding(&port)));
	guest_dev_start(&g, ~0ull, 3);
	guest_knows_its_gateway();
	a.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	give_buffer(0);
	assert_true(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EINPROGRESS);
	assert_true(guest_receives(0, &at) >= 54);	/* the first word of TCP, to our port 22 */
	assert_int_equal(at[23], 6);
	assert_memory_equal(at + 30, "\12\0\2\17", 4);
	assert_int_equal(at[36] << 8 | at[37], 22);
	assert_int_equal(at[47] & 0x3f, 2);
	close(fd);
}

static void a_forwarded_port_in_use_is_refused(void **state)
{
	unsigned int port;
	int fd = take_port(&port);
	char opts[64];

	(void)state;
	if (fd < 0)
		skip();
	snprintf(opts, sizeof(opts), "user,restrict,hostfwd=tcp::%u-:22", port);
	assert_true(guest_dev_make(&g, "virtio-net", opts, true, true) < 0);
	close(fd);
}

static void a_forwarded_port_of_udp_is_taken(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(a);
	char opts[64];

	(void)state;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		skip();
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(opts, sizeof(opts), "user,hostfwd=udp::%u-:53", ntohs(a.sin_port));
	assert_true(guest_dev_make(&g, "virtio-net", opts, true, true) < 0);	/* it is ours */
	close(fd);
	assert_int_equal(guest_dev_make(&g, "virtio-net", opts, true, true), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), -1);
	close(fd);
}

struct test_list virtio_net_more_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(each_pair_of_queues_has_its_own_way),
		TEST(control_queue_is_the_third_for_a_driver_without_mq),
		TEST(frames_are_filtered_as_the_driver_says),
		TEST(vlans_pass_once_they_are_named),
		TEST(command_without_room_for_its_answer_asks_for_a_reset),
		TEST(own_network_answers_and_forwards),
		TEST(a_forwarded_port_in_use_is_refused),
		TEST(a_forwarded_port_of_udp_is_taken),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
