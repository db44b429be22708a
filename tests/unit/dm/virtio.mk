# SPDX-License-Identifier: BSD-3-Clause
# Virtio, the disk and network back ends, and the lists that other files use, too: read by tests.mk first.

VIRTIO_TEST_FLAGS := -Iacrn-dm -D_GNU_SOURCE -pthread

# What the programs below have in common: memory, rings, buses, the PCI transport, disks, the other devices, control.
DM_MEMORY_SRCS := \
	acrn-dm/memory.c \
	tests/unit/dm/fake_hsm_memory.c \
	acrn-dm/log.c

DM_VQ_SRCS := \
	acrn-dm/virtio/virtqueue.c \
	acrn-dm/virtio/vq_packed.c \
	$(DM_MEMORY_SRCS)

DM_BUS_SRCS := \
	acrn-dm/bus/io.c \
	acrn-dm/bus/pci.c \
	acrn-dm/bus/pci_bar.c \
	acrn-dm/bus/pci_cfg.c \
	acrn-dm/bus/pci_irq.c

DM_VPCI_SRCS := \
	acrn-dm/virtio/iov.c \
	acrn-dm/virtio/worker.c \
	acrn-dm/virtio/virtio.c \
	acrn-dm/virtio/virtio_pci.c \
	acrn-dm/virtio/virtio_pci_call.c \
	acrn-dm/virtio/virtio_pci_legacy.c \
	acrn-dm/virtio/virtio_pci_modern.c \
	acrn-dm/dev/device.c \
	acrn-dm/config.c \
	acrn-dm/confine.c \
	acrn-dm/confine_files.c \
	acrn-dm/loop.c \
	tests/unit/dm/fake_virtio_hsm.c

DM_BLK_SRCS := \
	acrn-dm/virtio/blk.c \
	acrn-dm/virtio/blk_opts.c \
	acrn-dm/virtio/blk_request.c \
	acrn-dm/virtio/blk_threads.c \
	acrn-dm/virtio/blk_uring.c \
	acrn-dm/virtio/uring.c \
	acrn-dm/backend/blockdev.c \
	acrn-dm/backend/blockdev_io.c \
	acrn-dm/backend/blockdev_opts.c \
	acrn-dm/backend/md5.c

DM_VDEV_SRCS := \
	acrn-dm/virtio/rng.c \
	acrn-dm/virtio/balloon.c \
	acrn-dm/virtio/net.c \
	acrn-dm/virtio/net_ctrl.c \
	acrn-dm/virtio/net_io.c \
	acrn-dm/virtio/net_opts.c \
	acrn-dm/virtio/net_vhost.c \
	acrn-dm/virtio/vsock.c \
	acrn-dm/virtio/console.c \
	acrn-dm/virtio/console_ctl.c \
	acrn-dm/virtio/console_opts.c \
	acrn-dm/backend/net.c \
	acrn-dm/backend/net_user.c \
	acrn-dm/backend/vhost.c \
	acrn-dm/backend/chardev.c \
	acrn-dm/backend/chardev_open.c

DM_CONTROL_SRCS := \
	acrn-dm/api.c \
	acrn-dm/api_commands.c \
	acrn-dm/dev/pvpanic.c \
	acrn-dm/dev/wdt.c \
	acrn-dm/virtio/input.c \
	tests/unit/dm/fake_evdev.c

UNIT_TESTS += dm_virtqueue
dm_virtqueue_SRCS := \
	tests/unit/dm/test_virtqueue.c \
	tests/unit/dm/test_vq_packed.c \
	tests/unit/dm/fake_guest_ring.c \
	tests/unit/dm/fake_virtio_hsm.c \
	$(DM_VQ_SRCS)
dm_virtqueue_CFLAGS := $(VIRTIO_TEST_FLAGS)

FUZZERS += fuzz_virtqueue
fuzz_virtqueue_SRCS := \
	tests/unit/dm/fuzz_virtqueue.c \
	tests/unit/dm/fake_virtio_hsm.c \
	$(DM_VQ_SRCS)
fuzz_virtqueue_CFLAGS := $(VIRTIO_TEST_FLAGS)

UNIT_TESTS += dm_virtio
dm_virtio_SRCS := \
	tests/unit/dm/test_virtio.c \
	tests/unit/dm/test_virtio_pci.c \
	tests/unit/dm/test_virtio_blk.c \
	tests/unit/dm/test_virtio_blk_io.c \
	tests/unit/dm/test_virtio_blk_kill.c \
	tests/unit/dm/fake_guest_blk.c \
	tests/unit/dm/test_virtio_net.c \
	tests/unit/dm/test_virtio_net_more.c \
	tests/unit/dm/test_virtio_vhost.c \
	tests/unit/dm/fake_vhost.c \
	tests/unit/dm/test_virtio_console.c \
	tests/unit/dm/test_virtio_balloon.c \
	tests/unit/dm/fake_guest_ring.c \
	tests/unit/dm/fake_guest_dev.c \
	$(DM_VQ_SRCS) \
	$(DM_BUS_SRCS) \
	$(DM_VPCI_SRCS) \
	$(DM_BLK_SRCS) \
	$(DM_VDEV_SRCS)
dm_virtio_CFLAGS := $(VIRTIO_TEST_FLAGS)
dm_virtio_LIBS := -luring -lslirp -lseccomp

UNIT_TESTS += dm_control
dm_control_SRCS := \
	tests/unit/dm/test_control.c \
	tests/unit/dm/fake_guest_blk.c \
	tests/unit/dm/fake_guest_ring.c \
	tests/unit/dm/fake_guest_dev.c \
	$(DM_VQ_SRCS) \
	$(DM_BUS_SRCS) \
	$(DM_VPCI_SRCS) \
	$(DM_BLK_SRCS) \
	$(DM_CONTROL_SRCS)
dm_control_CFLAGS := $(VIRTIO_TEST_FLAGS) -DDM_VERSION='"test"'
dm_control_LIBS := -luring -lcjson -lseccomp -lm

UNIT_TESTS += dm_confine
dm_confine_SRCS := \
	tests/unit/dm/test_confine.c \
	acrn-dm/confine.c \
	acrn-dm/confine_files.c \
	acrn-dm/virtio/uring.c \
	acrn-dm/virtio/worker.c \
	acrn-dm/log.c
dm_confine_CFLAGS := $(VIRTIO_TEST_FLAGS)
dm_confine_LIBS := -luring -lseccomp

FUZZERS += fuzz_devices
fuzz_devices_SRCS := \
	tests/unit/dm/fuzz_devices.c \
	tests/unit/dm/fake_vhost.c \
	$(DM_VQ_SRCS) \
	$(DM_BUS_SRCS) \
	$(DM_VPCI_SRCS) \
	$(DM_BLK_SRCS) \
	$(DM_VDEV_SRCS) \
	$(DM_CONTROL_SRCS)
fuzz_devices_CFLAGS := $(VIRTIO_TEST_FLAGS) -DDM_VERSION='"test"'
fuzz_devices_LIBS := -luring -lslirp -lcjson -lseccomp -lm
