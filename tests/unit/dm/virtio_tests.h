/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of tests that make the program dm_virtio. */
#pragma once

#include "unit.h"

struct test_list {
	const struct CMUnitTest *tests;
	size_t count;
};

struct test_list virtio_pci_tests(void);
struct test_list virtio_blk_tests(void);
struct test_list virtio_blk_io_tests(void);
struct test_list virtio_blk_kill_tests(void);
struct test_list virtio_net_tests(void);
struct test_list virtio_net_more_tests(void);
struct test_list virtio_vhost_tests(void);
struct test_list virtio_console_tests(void);
struct test_list virtio_balloon_tests(void);

struct test_list virtqueue_packed_tests(void);
