/* SPDX-License-Identifier: BSD-3-Clause */
/* virtio-console: one thread is the loop of the device model, this one is the guest and the people at the other end. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "loop.h"
#include "virtio/console_internal.h"

#define CTL_RX	2u
#define CTL_TX	3u
#define MULTIPORT	(1ull << 1)

struct control {
	uint32_t id;
	uint16_t event;
	uint16_t value;
};

static struct guest_dev g;
static pthread_t loop_thread;
static char socket_path[64], file_path[64];
static int peer;

static void *run_loop(void *arg)
{
	(void)arg;
	(void)loop_run();
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	snprintf(socket_path, sizeof(socket_path), "/tmp/virtio-console-%d.sock", getpid());
	snprintf(file_path, sizeof(file_path), "/tmp/virtio-console-%d.out", getpid());
	peer = -1;
	return loop_init();
}

static int teardown(void **state)
{
	(void)state;
	loop_stop();
	pthread_join(loop_thread, NULL);
	guest_dev_drop(&g);
	loop_exit();
	if (peer >= 0)
		close(peer);
	unlink(file_path);
	guest_memory_drop();
	return 0;
}

static struct chardev *port_backend(void)
{
	struct virtio_dev *v = g.f->priv;
	struct console *c = v->priv;

	return c->port[0].backend;
}

static void connect_peer(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE };

	memcpy(sun.sun_path, socket_path, strlen(socket_path) + 1);
	peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_true(BECOMES(chardev_is_connected(port_backend())));
}

/* A console port on the socket and a plain one into the file. */
static void make(bool modern, uint64_t features)
{
	char opts[256];

	snprintf(opts, sizeof(opts), "@socket:con=%s:server,file:log=%s", socket_path, file_path);
	assert_int_equal(guest_dev_make(&g, "virtio-console", opts, modern, true), 0);
	assert_int_equal(pthread_create(&loop_thread, NULL, run_loop, NULL), 0);
	guest_dev_start(&g, features, 6);
}

static void give_buffers(unsigned int ring, unsigned int n, uint32_t len)
{
	for (unsigned int i = 0; i < n; i++) {
		struct guest_seg seg = { guest_alloc(len, 16), len };

		ring_add(&g.ring[ring], &seg, 0, 1);
	}
	guest_dev_kick(&g, ring);
}

static void send_bytes(unsigned int ring, const void *bytes, uint32_t len)
{
	struct guest_seg seg = { guest_alloc(len, 16), len };
	struct vring_used_elem e;

	memcpy(guest_at(seg.addr), bytes, len);
	ring_add(&g.ring[ring], &seg, 1, 0);
	guest_dev_kick(&g, ring);
	assert_true(ring_wait(&g.ring[ring], &e));
}

static uint8_t *receive(unsigned int ring, uint32_t *len)
{
	struct vring_used_elem e;

	assert_true(ring_wait(&g.ring[ring], &e));
	*len = e.len;
	return guest_at(ring_desc(&g.ring[ring], (uint16_t)e.id)->addr);
}

static void tell(uint32_t id, uint16_t event, uint16_t value)
{
	struct control m = { id, event, value };

	send_bytes(CTL_TX, &m, sizeof(m));
}

static void expect(uint32_t id, uint16_t event, uint16_t value, const char *text)
{
	uint32_t len;
	uint8_t *at = receive(CTL_RX, &len);
	struct control m;

	memcpy(&m, at, sizeof(m));
	assert_int_equal(m.id, id);
	assert_int_equal(m.event, event);
	assert_int_equal(m.value, value);
	assert_int_equal(len, sizeof(m) + strlen(text));
	assert_memory_equal(at + sizeof(m), text, strlen(text));
}

static void expect_peer(const char *text)
{
	char got[256] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		ssize_t r = recv(peer, got + n, sizeof(got) - n, 0);

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_memory_equal(got, text, strlen(text));
}

static void expect_input(unsigned int ring, const char *text)
{
	size_t done = 0;

	while (done < strlen(text)) {
		uint32_t len;
		uint8_t *at = receive(ring, &len);

		assert_true(done + len <= strlen(text));
		assert_memory_equal(at, text + done, len);
		done += len;
	}
}

static void single_port_driver_talks_in_both_modes(void **state)
{
	(void)state;
	for (unsigned int modern = 0; modern < 2; modern++) {
		make(modern, modern ? VIRTIO_BIT(VIRTIO_F_VERSION_1) : 0);
		connect_peer();
		give_buffers(0, 4, 16);
		send_bytes(1, "hello", 5);
		expect_peer("hello");
		assert_int_equal(send(peer, "a line of input that is longer\n", 31, 0), 31);
		expect_input(0, "a line of input that is longer\n");
		if (!modern) {
			teardown(state);
			setup(state);
		}
	}
}

static void ports_are_announced_and_carry_data(void **state)
{
	char got[16] = "";
	int fd;

	(void)state;
	make(true, ~0ull);
	assert_int_equal(guest_dev_config(&g, 4, 4), 2);
	give_buffers(CTL_RX, 16, 128);
	tell(0, 0, 1);
	expect(0, 1, 1, "");
	expect(1, 1, 1, "");
	tell(0, 3, 1);
	expect(0, 4, 1, "");
	expect(0, 7, 1, "con");
	tell(1, 3, 1);
	expect(1, 6, 1, "");
	expect(1, 7, 1, "log");
	connect_peer();
	expect(0, 6, 1, "");
	give_buffers(0, 2, 64);
	assert_int_equal(send(peer, "early", 5, 0), 5);
	usleep(20000);
	assert_false(ring_has_used(&g.ring[0]));	/* nobody has opened the port */
	tell(0, 6, 1);
	expect_input(0, "early");
	send_bytes(5, "to the file", 11);
	fd = open(file_path, O_RDONLY);
	assert_int_equal(read(fd, got, sizeof(got)), 11);
	assert_memory_equal(got, "to the file", 11);
	close(fd);
	close(peer);
	peer = -1;
	expect(0, 6, 0, "");
}

static void output_is_held_while_the_peer_does_not_read(void **state)
{
	enum { CHUNKS = 60, LEN = 16384 };
	static char bytes[LEN], got[LEN];
	size_t total = 0;
	struct vring_used_elem e;

	(void)state;
	make(true, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	connect_peer();
	for (unsigned int i = 0; i < CHUNKS; i++) {
		struct guest_seg seg = { guest_alloc(LEN, 16), LEN };

		memset(bytes, 'a' + i % 26, LEN);
		memcpy(guest_at(seg.addr), bytes, LEN);
		ring_add(&g.ring[1], &seg, 1, 0);
	}
	guest_dev_kick(&g, 1);
	usleep(50000);
	assert_true(__atomic_load_n(&ring_used(&g.ring[1])->idx, __ATOMIC_ACQUIRE) < CHUNKS);
	while (total < (size_t)CHUNKS * LEN) {
		ssize_t r = recv(peer, got, sizeof(got), 0);

		assert_true(r > 0);
		for (ssize_t i = 0; i < r; i++)
			assert_int_equal(got[i], 'a' + (total + (size_t)i) / LEN % 26);
		total += (size_t)r;
	}
	for (unsigned int i = 0; i < CHUNKS; i++)
		assert_true(ring_wait(&g.ring[1], &e));
}

static void advisory_endless_questions_cost_no_memory(void **state)
{
	(void)state;
	make(true, ~0ull);
	for (unsigned int i = 0; i < 2000; i++) {
		tell(i & 1, 3, 1);
		tell(i * 77, 6, 1);
		tell(0, 0, 1);
		if (i % 500 == 0)
			guest_dev_start(&g, ~0ull, 6);
	}
	give_buffers(CTL_RX, 16, 128);
	expect(0, 1, 1, "");
}

static void cve_2021_36143_kick_before_setup_is_harmless(void **state)
{
	(void)state;
	make(true, ~0ull);
	guest_dev_reset(&g);
	for (unsigned int i = 0; i < 6; i++)
		guest_dev_kick(&g, i);
	connect_peer();
	assert_int_equal(send(peer, "x", 1, 0), 1);
	guest_dev_set_status(&g, 15);
	for (unsigned int i = 0; i < 6; i++)
		guest_dev_kick(&g, i);
	usleep(20000);
	assert_int_equal(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void emergency_write_needs_no_queue(void **state)
{
	(void)state;
	make(true, ~0ull);
	guest_dev_reset(&g);
	connect_peer();
	guest_dev_write_config(&g, 8, 4, '!');
	expect_peer("!");
}

static void wrong_options_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "stdio", "@stdio", "foo:x", "file:x", "file:x=", ":x", "socket:n=/tmp/a:b:c", "pty:",
	};

	(void)state;
	make(true, ~0ull);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pci_func *f = pci_func_create(0, 9, 0, "virtio-console");

		assert_true(device_create(device_class_find("virtio-console"), f, bad[i]) < 0);
		pci_func_destroy(f);
	}
}

struct test_list virtio_console_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(single_port_driver_talks_in_both_modes),
		TEST(ports_are_announced_and_carry_data),
		TEST(output_is_held_while_the_peer_does_not_read),
		TEST(advisory_endless_questions_cost_no_memory),
		TEST(cve_2021_36143_kick_before_setup_is_harmless),
		TEST(emergency_write_needs_no_queue),
		TEST(wrong_options_are_refused),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
