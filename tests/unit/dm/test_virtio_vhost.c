/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues that a kernel serves: what it is told, where its interrupts go, and that they follow the driver when it
 * changes vectors, masks them, or gives MSI-X up. The kernel is fake_vhost.c.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_vhost.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "loop.h"
#include "virtio/net.h"
#include "virtio/virtio.h"

static struct guest_dev g;
static pthread_t thread;
static int pair[2];

static void *run_loop(void *arg)
{
	(void)arg;
	assert_int_equal(loop_run(), 0);
	return NULL;
}

static int wire_init(struct dm_device *d, const char *opts)
{
	struct virtio_net_setup s = { .mac = { 2, 1, 2, 3, 4, 5 }, .modern = true, .vhost = true };
	struct netdev n = { .queues = 1, .fd = { pair[1] } };
	int err;

	(void)opts;
	err = virtio_net_create(d, &n, &s);
	d->class = device_class_find("virtio-net");
	return err;
}

static const struct dm_device_class vhost_wire = { .name = "vhost-wire", .kind = DM_PCI, .init = wire_init };
DM_DEVICE(vhost_wire);

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	fake_vhost_reset();
	guest_memory_make();
	assert_int_equal(loop_init(), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_loop, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_dev_drop(&g);
	loop_stop();
	pthread_join(thread, NULL);
	loop_exit();
	guest_memory_drop();
	return 0;
}

static void make_vsock(bool msix)
{
	assert_int_equal(guest_dev_make(&g, "vhost-vsock", "cid=7", true, msix), 0);
	guest_dev_start(&g, ~0ull, 3);
}

static void kernel_gets_memory_rings_and_descriptors(void **state)
{
	const struct fake_vhost *v = &fake_vhosts[0];

	(void)state;
	make_vsock(true);
	assert_int_equal(fake_vhost_count, 1);
	assert_true(v->owned);
	assert_int_equal(v->cid, 7);
	assert_int_equal(v->regions, 1);
	assert_int_equal(v->running, 1);
	assert_int_equal(v->features, 1ull << 29 | 1ull << 32);
	assert_int_equal(guest_dev_config(&g, 0, 8), 7);
	for (unsigned int i = 0; i < 2; i++) {
		eventfd_t count;

		assert_int_equal(v->ring[i].num, 64);
		assert_ptr_equal((void *)(uintptr_t)v->ring[i].desc, guest_at(g.ring[i].setup.desc));
		assert_ptr_equal((void *)(uintptr_t)v->ring[i].used, guest_at(g.ring[i].setup.used));
		(void)eventfd_read(v->ring[i].kick, &count);
		guest_dev_kick(&g, i);
		assert_int_equal(eventfd_read(v->ring[i].kick, &count), 0);
	}
	guest_dev_reset(&g);
	assert_int_equal(v->running, 0);
	assert_int_equal(v->ring[0].kick, -1);
	guest_dev_start(&g, ~0ull, 3);
	assert_int_equal(v->running, 1);
}

static void identity_is_that_of_a_modern_device(void **state)
{
	(void)state;
	make_vsock(true);
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 3, 0), 0, 4), 0x10531af4);
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 3, 0), 8, 1), 1);
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 3, 0), 0x10, 4), 0);	/* no legacy BAR */
}

static void set_vector(unsigned int queue, uint16_t vector)
{
	guest_store(g.modern_base + 22, 2, queue);
	guest_store(g.modern_base + 26, 2, vector);
}

static uint64_t table(void)
{
	return pci_cfg_read(PCI_BDF(0, 3, 0), 0x14, 4) & ~15u;
}

static void interrupts_follow_vectors_that_change_at_run_time(void **state)
{
	uint64_t data;
	int fd;

	(void)state;
	make_vsock(true);
	fd = fake_vhosts[0].ring[0].call;
	assert_true(fake_irqfd(fd, &data));
	assert_int_equal(data, 1);
	set_vector(0, 3);			/* another vector for the queue */
	assert_true(fake_irqfd(fd, &data));
	assert_int_equal(data, 3);
	guest_store(table() + 16 * 3 + 8, 4, 40);	/* another message for the vector */
	assert_true(fake_irqfd(fd, &data));
	assert_int_equal(data, 40);
	set_vector(0, VIRTIO_NO_VECTOR);
	assert_false(fake_irqfd(fd, &data));
	set_vector(0, 3);
	assert_true(fake_irqfd(fd, &data));
	guest_dev_reset(&g);
	assert_false(fake_irqfd(fd, &data));
}

static void interrupt_behind_a_mask_comes_when_it_is_lifted(void **state)
{
	uint64_t data;
	int fd;

	(void)state;
	make_vsock(true);
	fd = fake_vhosts[0].ring[1].call;
	guest_store(table() + 16 * 2 + 12, 4, 1);
	assert_false(fake_irqfd(fd, &data));
	assert_int_equal(eventfd_write(fd, 1), 0);
	usleep(50000);
	assert_int_equal(fake_msi_count(2), 0);
	guest_store(table() + 16 * 2 + 12, 4, 0);
	assert_true(fake_msi_wait(2, 1));
	assert_true(fake_irqfd(fd, &data));
	assert_int_equal(data, 2);
}

/* The one who watches behind the mask may be late: then the kernel finds what was told. */
static void interrupt_that_nobody_saw_behind_the_mask_comes_too(void **state)
{
	int fd;

	(void)state;
	make_vsock(true);
	fd = fake_vhosts[0].ring[1].call;
	loop_stop();
	pthread_join(thread, NULL);
	guest_store(table() + 16 * 2 + 12, 4, 1);
	assert_int_equal(eventfd_write(fd, 1), 0);
	guest_store(table() + 16 * 2 + 12, 4, 0);
	assert_int_equal(fake_msi_count(2), 1);
	assert_int_equal(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void without_msix_the_line_is_raised(void **state)
{
	(void)state;
	make_vsock(false);
	assert_int_equal(eventfd_write(fake_vhosts[0].ring[0].call, 1), 0);
	assert_true(BECOMES(fake_line_is_low(16)));
}

static void network_card_leaves_its_frames_to_the_kernel(void **state)
{
	const struct fake_vhost *v = &fake_vhosts[0];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(guest_dev_make(&g, "vhost-wire", "", true, true), 0);
	assert_int_equal(guest_dev_offered(&g) >> VIRTIO_F_RING_PACKED & 1, 0);
	guest_dev_start(&g, ~0ull, 3);
	assert_int_equal(v->ring[0].backend, pair[1]);
	assert_int_equal(v->ring[1].backend, pair[1]);
	assert_int_equal(v->features, 1ull << 15 | 1ull << 29 | 1ull << 32);
	assert_int_equal(v->ring[0].num, 64);
	assert_ptr_equal((void *)(uintptr_t)v->ring[1].avail, guest_at(g.ring[1].setup.avail));
	for (unsigned int i = 0; i < 2; i++) {	/* and nobody here takes its notifications or its frames */
		eventfd_t count;

		(void)eventfd_read(v->ring[i].kick, &count);
		assert_int_equal(write(pair[0], "x", 1), 1);
		guest_dev_kick(&g, i);
		usleep(20000);
		assert_int_equal(eventfd_read(v->ring[i].kick, &count), 0);
	}
	guest_dev_reset(&g);
	assert_int_equal(v->ring[0].backend, -1);
	assert_int_equal(v->ring[1].kick, -1);
	close(pair[0]);
}

static void kernel_that_refuses_is_reported_and_survived(void **state)
{
	(void)state;
	fake_vhost_error = -EOPNOTSUPP;
	make_vsock(true);
	assert_int_equal(fake_vhosts[0].running, 0);
	guest_dev_reset(&g);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const bad[] = { "", "cid=", "cid=2", "cid=x", "cid=3x", "cid=4294967295", "cid=-1", "foo" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(guest_dev_make(&g, "vhost-vsock", bad[i], true, true) < 0);
}

struct test_list virtio_vhost_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(kernel_gets_memory_rings_and_descriptors),
		TEST(identity_is_that_of_a_modern_device),
		TEST(interrupts_follow_vectors_that_change_at_run_time),
		TEST(interrupt_behind_a_mask_comes_when_it_is_lifted),
		TEST(interrupt_that_nobody_saw_behind_the_mask_comes_too),
		TEST(without_msix_the_line_is_raised),
		TEST(network_card_leaves_its_frames_to_the_kernel),
		TEST(kernel_that_refuses_is_reported_and_survived),
		TEST(wrong_options_are_refused),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
