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

static void host_is_gone(struct net_pair *n)
{
	log_err("%s: its interface went away: %s", n->net->pci.name, strerror(errno));
	n->wants_frames = false;
	n->gone = true;
}

/* Reads one frame into n->frame; false when there is none. */
static bool read_frame(struct net_pair *n)
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
static size_t lay(const struct net_pair *n, const struct vq_chain *c, size_t header, size_t from)
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
static enum delivery lay_rest(struct net_pair *n, struct virtio_queue *q, size_t done, uint16_t *count)
{
	size_t header = net_header_len(q->dev);
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
static enum delivery deliver(struct net_pair *n, struct virtio_queue *q)
{
	struct virtio_dev *v = q->dev;
	size_t header = net_header_len(v);
	struct vq_mark mark = vq_mark(&q->vq);
	uint16_t count = 1;
	enum delivery r;
	size_t done;

	if (!header_allowed(v, &n->pending_header, NET_F_GUEST_CSUM, NET_F_GUEST_TSO4, NET_F_GUEST_TSO6) ||
	    !net_filter_passes(n->net, n->frame, n->pending))
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

static void receive(struct net_pair *n, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	vq_disable_notify(&q->vq);
	n->wants_frames = true;
	for (unsigned int i = 0; i < BUDGET; i++) {
		enum delivery how;

		if (!n->pending && !read_frame(n))
			break;
		how = deliver(n, q);
		if (how != NO_BUFFERS) {
			net_count(how == DELIVERED ? &n->net->count.rx_frames : &n->net->count.rx_dropped);
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

void net_forget_frames(struct net *net)
{
	for (unsigned int i = 0; i < net->pairs; i++) {
		struct virtio_queue *q = net_rx(&net->pair[i]);

		pthread_mutex_lock(&q->lock);
		net->pair[i].pending = 0;
		pthread_mutex_unlock(&q->lock);
	}
}

/* --- guest to host ---------------------------------------------------------------------------------- */

static void send_frame(struct net_pair *n, struct virtio_queue *q)
{
	const struct vq_chain *c = &n->first;
	size_t header = net_header_len(q->dev);
	struct net_header h = { 0 };
	unsigned int segments;

	if (c->out_len <= header) {
		virtio_fail(q->dev, "a frame shorter than its header");
		return;
	}
	iov_to_buf(c->iov, c->n_out, 0, &h, header);
	h.num_buffers = 0;
	if (n->gone || !header_allowed(q->dev, &h, NET_F_CSUM, NET_F_HOST_TSO4, NET_F_HOST_TSO6)) {
		net_count(&n->net->count.tx_dropped);
		return;
	}
	h.flags &= HDR_F_NEEDS_CSUM;
	n->tx_iov[0] = (struct iovec){ .iov_base = &h, .iov_len = sizeof(h) };
	segments = iov_slice(c->iov, c->n_out, header, c->out_len - header, n->tx_iov + 1);
	/* A full or closed interface loses frames, as a cable does. */
	if (writev(n->fd, n->tx_iov, (int)segments + 1) >= 0) {
		net_count(&n->net->count.tx_frames);
		return;
	}
	net_count(&n->net->count.tx_dropped);
	if (errno != EAGAIN)
		log_guest("%s: the host refused a frame: %s", n->net->pci.name, strerror(errno));
}

static void transmit(struct net_pair *n, struct virtio_queue *q)
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

/* A driver that did not accept MQ has its control queue where ours have a second pair. */
static void serve(struct net_pair *n, struct virtio_queue *q)
{
	worker_consume(q->kick_fd);
	if (q->index == net_control_queue(n->net))
		net_control(n->net, q, &n->first);
	else if (q->index % 2 == 0)
		receive(n, q);
	else
		transmit(n, q);
}

/* With vhost: the control queue, if this driver has it where the kernel would serve a second pair. */
static struct virtio_queue *early_control(struct net *n)
{
	struct virtio_dev *v = &n->pci.virtio;

	if (n->pairs == 1 || !(virtio_status(v) & VIRTIO_STATUS_DRIVER_OK) || virtio_has(v, NET_F_MQ))
		return NULL;
	return &v->queues[2];
}

void net_run(void *arg)
{
	struct net_pair *n = arg;
	struct virtio_queue *rx = net_rx(n), *tx = net_tx(n);
	struct virtio_queue *control = &n->net->pci.virtio.queues[2 * n->net->pairs];
	bool ours = n->net->vhost == NULL;	/* else these notifications are the kernel's */

	for (;;) {
		struct virtio_queue *early = ours ? NULL : early_control(n->net);
		struct pollfd fds[] = {
			{ .fd = ours ? tx->kick_fd : -1, .events = POLLIN },
			{ .fd = ours ? rx->kick_fd : -1, .events = POLLIN },
			{ .fd = n->wants_frames && !n->gone ? n->fd : -1, .events = POLLIN },
			{ .fd = n->index == 0 ? control->kick_fd : -1, .events = POLLIN },
			{ .fd = early ? early->kick_fd : -1, .events = POLLIN },
		};

		if (!worker_wait(&n->worker, fds, 5))
			return;
		if (fds[4].revents)
			serve(n, early);
		if (fds[3].revents)
			serve(n, control);
		if (fds[0].revents)
			serve(n, tx);
		if (fds[1].revents)
			serve(n, rx);
		if (fds[2].revents)
			receive(n, rx);
	}
}
