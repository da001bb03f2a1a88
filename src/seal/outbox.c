/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/outbox.h"

#include <netinet/udp.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#include "abi/seal.h"

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t none[16];

enum { OUTBOX_BUFFER = 4 << 20 };

static int outbox_socket(int family, const uint8_t local[16])
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1, size = OUTBOX_BUFFER, mode;

	if (fd < 0)
		return -errno;
	(void)!setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (family == AF_INET) {
		struct sockaddr_in from = {.sin_family = AF_INET};

		mode = IP_PMTUDISC_PROBE;
		memcpy(&from.sin_addr, local + 12, 4);
		if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode)) ||
		    bind(fd, (struct sockaddr *)&from, sizeof(from)))
			return -errno;
	} else {
		struct sockaddr_in6 from = {.sin6_family = AF_INET6};

		mode = IPV6_PMTUDISC_PROBE;
		memcpy(&from.sin6_addr, local, 16);
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &mode, sizeof(mode)) ||
		    bind(fd, (struct sockaddr *)&from, sizeof(from)))
			return -errno;
	}
	return TAKE_FD(fd);
}

int outbox_open(struct outbox *o, const uint8_t v4[16], const uint8_t v6[16], uint64_t *not_sent)
{
	const uint8_t *locals[2] = {v4, v6};

	memset(o->fds, -1, sizeof(o->fds));
	o->size = o->n = 0;
	o->no_segments = false;
	o->not_sent = not_sent;
	for (int f = 0; f < 2; f++)
		for (int i = 0; i < OUTBOX_PORTS; i++) {
			if (!memcmp(locals[f], none, 16))
				continue;
			o->fds[f][i] = outbox_socket(f ? AF_INET6 : AF_INET, locals[f]);
			if (o->fds[f][i] < 0) {
				int e = o->fds[f][i];

				outbox_close(o);
				return e;
			}
		}
	return 0;
}

void outbox_close(struct outbox *o)
{
	for (int f = 0; f < 2; f++)
		for (int i = 0; i < OUTBOX_PORTS; i++) {
			close_cleanup(&o->fds[f][i]);
			o->fds[f][i] = -1;
		}
}

/* ---- sending ---- */

struct outbox_control {
	alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

static void outbox_fill(struct outbox *o, const struct outbox_message *m, struct msghdr *h,
			struct iovec *iov, struct outbox_control *control)
{
	uint16_t segment = (uint16_t)m->segment;
	struct cmsghdr *c;

	*iov = (struct iovec){o->bytes + m->at, m->size};
	*h = (struct msghdr){.msg_name = (void *)(uintptr_t)&m->to,
			     .msg_namelen = m->to_size,
			     .msg_iov = iov,
			     .msg_iovlen = 1};
	if (m->size <= m->segment)
		return;
	h->msg_control = control->bytes;
	h->msg_controllen = sizeof(control->bytes);
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(c), &segment, sizeof(segment));
}

/* Datagram by datagram; an error that waited on the socket is some earlier one's: once more. */
static void outbox_send_singly(struct outbox *o, const struct outbox_message *m)
{
	for (size_t at = 0; at < m->size; at += m->segment) {
		size_t n = m->size - at < m->segment ? m->size - at : m->segment;

		if (sendto(m->fd, o->bytes + m->at + at, n, 0, &m->to.sa, m->to_size) < 0 &&
		    (errno == EMSGSIZE ||
		     sendto(m->fd, o->bytes + m->at + at, n, 0, &m->to.sa, m->to_size) < 0))
			++*o->not_sent;
	}
}

/* Messages 'from' to 'to', which leave by one socket. */
static void outbox_send(struct outbox *o, size_t from, size_t to)
{
	struct mmsghdr headers[OUTBOX_MESSAGES];
	struct iovec iovs[OUTBOX_MESSAGES];
	struct outbox_control controls[OUTBOX_MESSAGES];
	int n;

	for (size_t i = from; i < to; i++)
		outbox_fill(o, &o->messages[i], &headers[i - from].msg_hdr, &iovs[i - from],
			    &controls[i - from]);
	while (from < to) {
		n = sendmmsg(o->messages[from].fd, headers, (unsigned int)(to - from), 0);
		if (n <= 0) {
			/* Without checksum offload on the way out the kernel cuts nothing. */
			if (o->messages[from].size > o->messages[from].segment && errno == EIO)
				o->no_segments = true;
			outbox_send_singly(o, &o->messages[from]);
			n = 1;
		}
		from += (size_t)n;
		memmove(headers, headers + n, (to - from) * sizeof(*headers));
	}
}

/* Whether a datagram of 'size' bytes may be the next of a message. */
static bool outbox_takes(const struct outbox *o, const struct outbox_message *m, size_t size)
{
	return !m->closed && !o->no_segments && size <= m->segment &&
	       m->size + size <= OUTBOX_MESSAGE_SIZE && m->size / m->segment + 1 < OUTBOX_SEGMENTS;
}

void outbox_flush(struct outbox *o)
{
	for (size_t from = 0, to; from < o->n; from = to) {
		to = from + 1;
		while (to < o->n && o->messages[to].fd == o->messages[from].fd)
			to++;
		outbox_send(o, from, to);
	}
	o->n = o->size = 0;
}

void outbox_flush_full(struct outbox *o)
{
	struct outbox_message last;

	if (!o->n)
		return;
	last = o->messages[o->n - 1];
	if (!outbox_takes(o, &last, last.segment)) {
		outbox_flush(o);
	} else if (o->n > 1) {
		o->n--;
		outbox_flush(o);
		memmove(o->bytes, o->bytes + last.at, last.size);
		last.at = 0;
		o->messages[o->n++] = last;
		o->size = last.size;
	}
}

uint8_t *outbox_room(struct outbox *o, size_t size)
{
	if (o->size + size > OUTBOX_SIZE)
		outbox_flush(o);
	return o->bytes + o->size;
}

static void outbox_address(struct outbox_message *m, const uint8_t remote[16])
{
	if (!memcmp(remote, v4_mapped, sizeof(v4_mapped))) {
		m->to.v4 =
			(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(SEAL_PORT)};
		memcpy(&m->to.v4.sin_addr, remote + 12, 4);
		m->to_size = sizeof(m->to.v4);
	} else {
		m->to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						 .sin6_port = htons(SEAL_PORT)};
		memcpy(&m->to.v6.sin6_addr, remote, 16);
		m->to_size = sizeof(m->to.v6);
	}
}

static bool outbox_is_to(const struct outbox_message *m, const uint8_t remote[16])
{
	if (m->to.sa.sa_family == AF_INET)
		return !memcmp(remote, v4_mapped, sizeof(v4_mapped)) &&
		       !memcmp(&m->to.v4.sin_addr, remote + 12, 4);
	return !memcmp(&m->to.v6.sin6_addr, remote, 16);
}

void outbox_add(struct outbox *o, size_t size, const uint8_t remote[16], uint32_t hash)
{
	bool v4 = !memcmp(remote, v4_mapped, sizeof(v4_mapped));
	int fd = o->fds[v4 ? 0 : 1][hash % OUTBOX_PORTS];
	struct outbox_message *m = o->n ? &o->messages[o->n - 1] : NULL;

	if (fd < 0) {
		++*o->not_sent;
		return;
	}
	if (m && m->fd == fd && outbox_takes(o, m, size) && outbox_is_to(m, remote)) {
		m->size += size;
		m->closed = size < m->segment;
		o->size += size;
		return;
	}
	if (o->n == OUTBOX_MESSAGES) {
		/* What was just written moves to the front. */
		size_t at = o->size;

		outbox_flush(o);
		memmove(o->bytes, o->bytes + at, size);
	}
	m = &o->messages[o->n++];
	*m = (struct outbox_message){.fd = fd, .at = o->size, .size = size, .segment = size};
	outbox_address(m, remote);
	o->size += size;
}
