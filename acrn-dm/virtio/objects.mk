# SPDX-License-Identifier: BSD-3-Clause
# The objects of virtio and of the block and network back ends; read by acrn-dm/Makefile.

VIRTIO_OBJS := \
	virtio/virtqueue.o \
	virtio/vq_packed.o \
	virtio/iov.o \
	virtio/worker.o \
	virtio/virtio.o \
	virtio/virtio_pci.o \
	virtio/virtio_pci_call.o \
	virtio/virtio_pci_legacy.o \
	virtio/virtio_pci_modern.o \
	virtio/blk.o \
	virtio/blk_opts.o \
	virtio/blk_request.o \
	virtio/blk_threads.o \
	virtio/blk_uring.o \
	virtio/uring.o \
	virtio/rng.o \
	virtio/balloon.o \
	virtio/net.o \
	virtio/net_ctrl.o \
	virtio/net_io.o \
	virtio/net_opts.o \
	virtio/net_vhost.o \
	virtio/vsock.o \
	virtio/input.o \
	virtio/console.o \
	virtio/console_ctl.o \
	virtio/console_opts.o \
	backend/net.o \
	backend/net_user.o \
	backend/vhost.o \
	backend/evdev.o \
	backend/vhost_host.o \
	backend/blockdev.o \
	backend/blockdev_io.o \
	backend/blockdev_opts.o \
	backend/md5.o
VIRTIO_LIBS := -luring -lslirp -lcjson -lseccomp -lm
