# SPDX-License-Identifier: BSD-3-Clause
# Virtio, the disk and network back ends: read by tests.mk.

VIRTIO_TEST_FLAGS := -Iacrn-dm -D_GNU_SOURCE -pthread

UNIT_TESTS += dm_virtqueue
dm_virtqueue_SRCS := \
	tests/unit/dm/test_virtqueue.c \
	tests/unit/dm/fake_guest_ring.c \
	tests/unit/dm/fake_virtio_hsm.c \
	acrn-dm/virtio/virtqueue.c \
	acrn-dm/memory.c \
	acrn-dm/log.c
dm_virtqueue_CFLAGS := $(VIRTIO_TEST_FLAGS)

FUZZERS += fuzz_virtqueue
fuzz_virtqueue_SRCS := \
	tests/unit/dm/fuzz_virtqueue.c \
	tests/unit/dm/fake_virtio_hsm.c \
	acrn-dm/virtio/virtqueue.c \
	acrn-dm/memory.c \
	acrn-dm/log.c
fuzz_virtqueue_CFLAGS := $(VIRTIO_TEST_FLAGS)
