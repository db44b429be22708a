/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for vhost_host.c. */
#include "dm/fake_vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <string.h>
#include <unistd.h>

#include "backend/vhost.h"

#define OFFERED	(1ull << 15 | 1ull << 29 | 1ull << 32)	/* MRG_RXBUF, EVENT_IDX, VERSION_1 */

struct fake_vhost fake_vhosts[FAKE_VHOSTS];
unsigned int fake_vhost_count;
int fake_vhost_error;

static int fds[FAKE_VHOSTS];

void fake_vhost_reset(void)
{
	memset(fake_vhosts, 0, sizeof(fake_vhosts));
	fake_vhost_count = 0;
	fake_vhost_error = 0;
}

int vhost_host_open(const char *node)
{
	struct fake_vhost *v = &fake_vhosts[fake_vhost_count];

	if (strncmp(node, "/dev/vhost-", 11) != 0)
		return -ENOENT;
	fds[fake_vhost_count++] = open("/dev/null", O_RDWR | O_CLOEXEC);
	v->is_open = true;
	v->ring[0].backend = v->ring[1].backend = v->ring[0].kick = v->ring[1].kick = -1;
	return fds[fake_vhost_count - 1];
}

static struct fake_vhost *find(int fd)
{
	for (unsigned int i = fake_vhost_count; i > 0; i--)
		if (fds[i - 1] == fd)
			return &fake_vhosts[i - 1];
	return NULL;
}

static int ring_call(struct fake_vhost *v, unsigned long request, const void *arg)
{
	const struct vhost_vring_state *state = arg;
	const struct vhost_vring_addr *addr = arg;
	const struct vhost_vring_file *file = arg;

	if (state->index > 1)
		return -ENOBUFS;
	switch (request) {
	case VHOST_SET_VRING_NUM:
		v->ring[state->index].num = state->num;
		return 0;
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
		return 0;
	case VHOST_SET_VRING_ADDR:
		v->ring[addr->index].desc = addr->desc_user_addr;
		v->ring[addr->index].avail = addr->avail_user_addr;
		v->ring[addr->index].used = addr->used_user_addr;
		return 0;
	case VHOST_SET_VRING_KICK:
		v->ring[file->index].kick = file->fd;
		return 0;
	case VHOST_SET_VRING_CALL:
		v->ring[file->index].call = file->fd;
		return 0;
	case VHOST_NET_SET_BACKEND:
		v->ring[file->index].backend = file->fd;
		return 0;
	default:
		return -ENOTTY;
	}
}

int vhost_host_ioctl(int fd, unsigned long request, const void *arg)
{
	struct fake_vhost *v = find(fd);

	if (!v)
		return -EBADF;
	switch (request) {
	case VHOST_SET_OWNER:
		v->owned = true;
		return 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)arg = OFFERED;
		return 0;
	case VHOST_SET_FEATURES:
		if (fake_vhost_error)
			return fake_vhost_error;
		v->features = *(const uint64_t *)arg;
		return v->features & ~OFFERED ? -EOPNOTSUPP : 0;
	case VHOST_SET_MEM_TABLE:
		v->regions = ((const struct vhost_memory *)arg)->nregions;
		return 0;
	case VHOST_VSOCK_SET_GUEST_CID:
		v->cid = *(const uint64_t *)arg;
		return 0;
	case VHOST_VSOCK_SET_RUNNING:
		v->running = *(const int *)arg;
		return 0;
	default:
		return ring_call(v, request, arg);
	}
}
