# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of hypervisor/vdev.
UNIT_TESTS += vdev_io_bus
vdev_io_bus_SRCS := tests/unit/vdev/test_io_bus.c hypervisor/vdev/io_bus.c
