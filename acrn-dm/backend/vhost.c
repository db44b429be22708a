/* SPDX-License-Identifier: BSD-3-Clause */
/* The ioctls that all vhost devices share (linux/vhost.h). */
#include "backend/vhost.h"

#include <errno.h>
#include <linux/vhost.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"

int vhost_open(struct vhost *v, const char *node)
{
	int err;

	v->node = node;
	v->fd = vhost_host_open(node);
	if (v->fd < 0) {
		log_err("%s: %s", node, strerror(-v->fd));
		return v->fd;
	}
	err = vhost_host_ioctl(v->fd, VHOST_SET_OWNER, NULL);
	if (!err)
		err = vhost_host_ioctl(v->fd, VHOST_GET_FEATURES, &v->features);
	if (err) {
		log_err("%s: cannot take it over: %s", node, strerror(-err));
		vhost_close(v);
	}
	return err;
}

void vhost_close(struct vhost *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

static int set_memory(const struct vhost *v)
{
	/* The structure ends in an array without a length; two regions are room enough. */
	uint64_t room[(sizeof(struct vhost_memory) + 2 * sizeof(struct vhost_memory_region)) / 8] = { 0 };
	struct vhost_memory *table = (struct vhost_memory *)room;

	table->nregions = mem_highmem() ? 2 : 1;
	table->regions[0].memory_size = mem_lowmem();
	table->regions[0].userspace_addr = (uintptr_t)mem_ptr(0, mem_lowmem());
	if (mem_highmem())
		table->regions[1] = (struct vhost_memory_region){
			.guest_phys_addr = MEM_HIGH_BASE,
			.memory_size = mem_highmem(),
			.userspace_addr = (uintptr_t)mem_ptr(MEM_HIGH_BASE, mem_highmem()),
		};
	return vhost_host_ioctl(v->fd, VHOST_SET_MEM_TABLE, table);
}

int vhost_setup(const struct vhost *v, uint64_t accepted)
{
	uint64_t features = accepted & v->features;
	int err = vhost_host_ioctl(v->fd, VHOST_SET_FEATURES, &features);

	return err ? err : set_memory(v);
}

static int set_ring(const struct vhost *v, unsigned int index, const struct vhost_ring *r)
{
	size_t avail_len = sizeof(struct vring_avail) + (r->size + 1u) * sizeof(uint16_t);
	size_t used_len = sizeof(struct vring_used) + r->size * sizeof(struct vring_used_elem) + sizeof(uint16_t);
	struct vhost_vring_state size = { .index = index, .num = r->size }, base = { .index = index };
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (uintptr_t)mem_ptr(r->desc, r->size * sizeof(struct vring_desc)),
		.avail_user_addr = (uintptr_t)mem_ptr(r->avail, avail_len),
		.used_user_addr = (uintptr_t)mem_ptr(r->used, used_len),
	};
	int err;

	if (!addr.desc_user_addr || !addr.avail_user_addr || !addr.used_user_addr)
		return -EFAULT;
	err = vhost_host_ioctl(v->fd, VHOST_SET_VRING_NUM, &size);
	if (!err)
		err = vhost_host_ioctl(v->fd, VHOST_SET_VRING_BASE, &base);
	return err ? err : vhost_host_ioctl(v->fd, VHOST_SET_VRING_ADDR, &addr);
}

int vhost_queue_start(const struct vhost *v, unsigned int index, const struct vhost_ring *r, int kick_fd, int call_fd)
{
	struct vhost_vring_file kick = { .index = index, .fd = kick_fd };
	struct vhost_vring_file call = { .index = index, .fd = call_fd };
	int err = set_ring(v, index, r);

	if (!err)
		err = vhost_host_ioctl(v->fd, VHOST_SET_VRING_CALL, &call);
	return err ? err : vhost_host_ioctl(v->fd, VHOST_SET_VRING_KICK, &kick);
}

int vhost_queue_stop(const struct vhost *v, unsigned int index)
{
	struct vhost_vring_file none = { .index = index, .fd = -1 };
	struct vhost_vring_state base = { .index = index };
	int err = vhost_host_ioctl(v->fd, VHOST_SET_VRING_KICK, &none);
	int err2 = vhost_host_ioctl(v->fd, VHOST_GET_VRING_BASE, &base);

	return err ? err : err2;
}

int vhost_net_set_backend(const struct vhost *v, unsigned int index, int tap_fd)
{
	struct vhost_vring_file file = { .index = index, .fd = tap_fd };

	return vhost_host_ioctl(v->fd, VHOST_NET_SET_BACKEND, &file);
}

int vhost_vsock_set_cid(const struct vhost *v, uint64_t cid)
{
	return vhost_host_ioctl(v->fd, VHOST_VSOCK_SET_GUEST_CID, &cid);
}

int vhost_vsock_run(const struct vhost *v, bool on)
{
	int value = on;

	return vhost_host_ioctl(v->fd, VHOST_VSOCK_SET_RUNNING, &value);
}
