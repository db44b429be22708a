/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames between a virtio-net driver and the host. A frame from the host is read first and then laid over as many
 * receive buffers as it needs; when they do not suffice the buffers go back and the frame waits. Headers of the guest
 * are rebuilt: only what was negotiated reaches the host's kernel.
 */
#include "virtio/net_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "virtio/iov.h"

#define BUDGET	64u	/* frames one way before the other way has its turn */

#define HDR_F_NEEDS_CSUM	1u
#define GSO_NONE	0u
#define GSO_TCPV4	1u
#define GSO_TCPV6	4u
#define GSO_ECN		0x80u

static unsigned int header_len(const struct virtio_dev *v)
{
	bool is_long = virtio_has(v, VIRTIO_F_VERSION_1) || virtio_has(v, NET_F_MRG_RXBUF);

	return is_long ? NETDEV_HEADER : offsetof(struct net_header, num_buffers);
}

/* May a header with these wishes pass, given the feature bits that allow each of them? */
static bool header_allowed(const struct virtio_dev *v, const struct net_header *h, unsigned int csum,
			   unsigned int tso4, unsigned int tso6)
{
	if ((h->flags & HDR_F_NEEDS_CSUM) && !virtio_has(v, csum))
		return false;
	switch (h->gso_type & ~GSO_ECN) {
	case GSO_NONE:
		return true;
	case GSO_TCPV4:
		return virtio_has(v, tso4);
	case GSO_TCPV6:
		return virtio_has(v, tso6);
	default:
		return false;
	}
}

/* --- host to guest ---------------------------------------------------------------------------------- */

static void host_is_gone(struct net *n)
{
	log_err("%s: its interface went away: %s", n->pci.name, strerror(errno));
	n->wants_frames = false;
	n->gone = true;
}

/* Reads one frame into n->frame; false when there is none. */
static bool read_frame(struct net *n)
{
	struct iovec iov[2] = {
		{ .iov_base = &n->pending_header, .iov_len = sizeof(n->pending_header) },
		{ .iov_base = n->frame, .iov_len = sizeof(n->frame) },
	};
	ssize_t r;

	if (n->gone)
		return false;
	do {
		r = readv(n->fd, iov, 2);
	} while (r < 0 && errno == EINTR);
	if (r < 0 && errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS)
		host_is_gone(n);
	if (r <= (ssize_t)sizeof(n->pending_header))
		return false;
	n->pending = (uint32_t)r - (uint32_t)sizeof(n->pending_header);
	return true;
}

/* Lays the frame over the chain, from byte `from` of header and frame together; how many bytes it took. */
static size_t lay(const struct net *n, const struct vq_chain *c, size_t header, size_t from)
{
	const struct iovec *in = c->iov + c->n_out;
	size_t done = 0;
	size_t at;

	if (from == 0)
		done = iov_from_buf(in, c->n_in, 0, &n->pending_header, header);
	if (from == 0 && done < header)
		return done;
	at = from + done - header;
	return done + iov_from_buf(in, c->n_in, done, n->frame + at, n->pending - at);
}

enum delivery { DELIVERED, NO_BUFFERS, DROPPED };

/* Takes further buffers until the whole frame lies in them; *count of them are filled then. */
static enum delivery lay_rest(struct net *n, struct virtio_queue *q, size_t done, uint16_t *count)
{
	size_t header = header_len(q->dev);
	size_t total = n->pending + header;

	while (done < total) {
		size_t part;

		if (*count >= VQ_BATCH_MAX)	/* the driver gives crumbs: nothing will ever do */
			return DROPPED;
		if (*count >= q->vq.setup.size || !virtio_pop(q, &n->more))
			return NO_BUFFERS;
		part = lay(n, &n->more, header, done);
		vq_fill(&q->vq, &n->more, (uint32_t)part);
		(*count)++;
		done += part;
	}
	return DELIVERED;
}

/* With the queue's lock. */
static enum delivery deliver(struct net *n, struct virtio_queue *q)
{
	struct virtio_dev *v = q->dev;
	size_t header = header_len(v);
	struct vq_mark mark = vq_mark(&q->vq);
	uint16_t count = 1;
	enum delivery r;
	size_t done;

	if (!header_allowed(v, &n->pending_header, NET_F_GUEST_CSUM, NET_F_GUEST_TSO4, NET_F_GUEST_TSO6))
		return DROPPED;
	if (!virtio_pop(q, &n->first))
		return NO_BUFFERS;
	if (n->first.in_len < header) {
		virtio_fail(v, "a receive buffer smaller than the header");
		return DROPPED;
	}
	if (!virtio_has(v, NET_F_MRG_RXBUF) && n->first.in_len < n->pending + header) {
		vq_rewind(&q->vq, &mark);
		return DROPPED;
	}
	n->pending_header.num_buffers = 1;
	done = lay(n, &n->first, header, 0);
	vq_fill(&q->vq, &n->first, (uint32_t)done);
	r = lay_rest(n, q, done, &count);
	if (r != DELIVERED) {
		vq_rewind(&q->vq, &mark);
		return r;
	}
	if (header == NETDEV_HEADER)
		iov_from_buf(n->first.iov + n->first.n_out, n->first.n_in, offsetof(struct net_header, num_buffers),
			     &count, sizeof(count));
	vq_publish(&q->vq);
	return DELIVERED;
}

static void receive(struct net *n, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	vq_disable_notify(&q->vq);
	n->wants_frames = true;
	for (unsigned int i = 0; i < BUDGET; i++) {
		if (!n->pending && !read_frame(n))
			break;
		if (deliver(n, q) != NO_BUFFERS) {
			n->pending = 0;
			continue;
		}
		if (!virtio_enable_notify(q)) {
			n->wants_frames = false;	/* until the driver gives buffers */
			break;
		}
	}
	virtio_signal(q);
	pthread_mutex_unlock(&q->lock);
}

void net_forget_frame(struct net *n)
{
	struct virtio_queue *q = &n->pci.virtio.queues[NET_RX];

	pthread_mutex_lock(&q->lock);
	n->pending = 0;
	pthread_mutex_unlock(&q->lock);
}

/* --- guest to host ---------------------------------------------------------------------------------- */

static void send_frame(struct net *n, struct virtio_queue *q)
{
	const struct vq_chain *c = &n->first;
	size_t header = header_len(q->dev);
	struct net_header h = { 0 };
	unsigned int segments;

	if (c->out_len <= header) {
		virtio_fail(q->dev, "a frame shorter than its header");
		return;
	}
	iov_to_buf(c->iov, c->n_out, 0, &h, header);
	h.num_buffers = 0;
	if (n->gone || !header_allowed(q->dev, &h, NET_F_CSUM, NET_F_HOST_TSO4, NET_F_HOST_TSO6))
		return;
	h.flags &= HDR_F_NEEDS_CSUM;
	n->tx_iov[0] = (struct iovec){ .iov_base = &h, .iov_len = sizeof(h) };
	segments = iov_slice(c->iov, c->n_out, header, c->out_len - header, n->tx_iov + 1);
	/* A full or closed interface loses frames, as a cable does. */
	if (writev(n->fd, n->tx_iov, (int)segments + 1) < 0 && errno != EAGAIN)
		log_guest("%s: the host refused a frame: %s", n->pci.name, strerror(errno));
}

static void transmit(struct net *n, struct virtio_queue *q)
{
	unsigned int sent = 0;

	pthread_mutex_lock(&q->lock);
	do {
		vq_disable_notify(&q->vq);
		while (sent < BUDGET && virtio_pop(q, &n->first)) {
			send_frame(n, q);
			(void)vq_push(&q->vq, &n->first, 0);	/* false: broken, and said so */
			sent++;
		}
		virtio_signal(q);
	} while (sent < BUDGET && virtio_enable_notify(q));
	if (sent == BUDGET)
		virtio_kick(q);
	pthread_mutex_unlock(&q->lock);
}

void net_run(void *arg)
{
	struct net *n = arg;
	struct virtio_queue *rx = &n->pci.virtio.queues[NET_RX];
	struct virtio_queue *tx = &n->pci.virtio.queues[NET_TX];

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = rx->kick_fd, .events = POLLIN },
			{ .fd = tx->kick_fd, .events = POLLIN },
			{ .fd = n->wants_frames && !n->gone ? n->fd : -1, .events = POLLIN },
		};

		if (!worker_wait(&n->worker, fds, 3))
			return;
		if (fds[1].revents) {
			worker_consume(tx->kick_fd);
			transmit(n, tx);
		}
		if (fds[0].revents)
			worker_consume(rx->kick_fd);
		if (fds[0].revents || fds[2].revents)
			receive(n, rx);
	}
}
