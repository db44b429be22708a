/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtio devices, end to end in one process: real buses and devices, a driver and a hypervisor of ours. */
#include "unit.h"

#include <string.h>

#include "dm/virtio_tests.h"

#define TESTS_MAX	100

int main(void)
{
	const struct test_list lists[] = {
		virtio_blk_kill_tests(),	/* forks: before there are threads */
		virtio_blk_io_tests(),
		virtio_pci_tests(),
		virtio_blk_tests(),
		virtio_net_tests(),
		virtio_net_more_tests(),
		virtio_vhost_tests(),
		virtio_console_tests(),
		virtio_balloon_tests(),
	};
	struct CMUnitTest all[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_true(n + lists[i].count <= TESTS_MAX);
		memcpy(&all[n], lists[i].tests, lists[i].count * sizeof(all[0]));
		n += lists[i].count;
	}
	return _cmocka_run_group_tests("virtio", all, n, NULL, NULL);
}
