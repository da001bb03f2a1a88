/* SPDX-License-Identifier: Apache-2.0 */
/* The rtnetlink socket, requests and attributes: see rtnl.h and rtnl_wire.h. */
#include "net/rtnl.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/limits.h"
#include "net/netns.h"
#include "net/rtnl_wire.h"

struct rtnl {
	struct mnl_socket *socket;
	uint32_t sequence;
};

int rtnl_open(struct rtnl **ret)
{
	const struct timeval timeout = {.tv_sec = LIMIT_RTNL_TIMEOUT_MS / 1000,
					.tv_usec = LIMIT_RTNL_TIMEOUT_MS % 1000 * 1000};
	_cleanup_(rtnl_close_cleanup) struct rtnl *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!r->socket)
		return -errno;
	if (mnl_socket_bind(r->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(r->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0)
		return -errno;
	*ret = TAKE_PTR(r);
	return 0;
}

static int open_here(void *data)
{
	return rtnl_open(data);
}

int rtnl_open_at(int netns_fd, struct rtnl **ret)
{
	return netns_call(netns_fd, open_here, ret);
}

struct rtnl *rtnl_close(struct rtnl *r)
{
	if (!r)
		return NULL;
	if (r->socket)
		mnl_socket_close(r->socket);
	free(r);
	return NULL;
}

bool rtnl_is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -ESRCH || error == -EADDRNOTAVAIL;
}

void *rtnl_request_init(struct rtnl_request *q, uint16_t type, uint16_t flags, size_t size)
{
	memset(q->bytes, 0, sizeof(q->bytes));
	q->header = mnl_nlmsg_put_header(q->bytes);
	q->header->nlmsg_type = type;
	q->header->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(q->header, size);
}

void rtnl_answers_init(struct buf *b)
{
	/* As much as the kernel has to say: it is trusted, and all of it is wanted. */
	buf_init(b, INT32_MAX);
}

/* The error that ends an answer: in NLMSG_ERROR (0: acknowledged) or NLMSG_DONE. */
static int end_error(const struct nlmsghdr *h)
{
	int error;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(error))
		return h->nlmsg_type == NLMSG_DONE ? 0 : -EPROTO;
	memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error <= 0 ? error : -EPROTO;
}

/* Takes one datagram apart.  1: there is more to come; 0: the answer is complete; or its error. */
static int take_answers(const struct rtnl *r, const char *bytes, int size, struct buf *answers,
			bool *interrupted)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)bytes;

	for (; mnl_nlmsg_ok(h, size); h = mnl_nlmsg_next(h, &size)) {
		if (h->nlmsg_seq != r->sequence)
			continue; /* the late answer to a request that timed out */
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return end_error(h);
		if (answers && h->nlmsg_type >= NLMSG_MIN_TYPE) {
			buf_put(answers, h, h->nlmsg_len);
			buf_put_zeros(answers, NLMSG_ALIGN(h->nlmsg_len) - h->nlmsg_len);
		}
	}
	return 1;
}

static int talk(struct rtnl *r, struct rtnl_request *q, struct buf *answers, bool *interrupted)
{
	_cleanup_free_ char *bytes = malloc(LIMIT_RTNL_BUFFER_SIZE);
	int more = 1;

	if (!bytes)
		return -ENOMEM;
	q->header->nlmsg_seq = ++r->sequence;
	if (mnl_socket_sendto(r->socket, q->header, q->header->nlmsg_len) < 0)
		return -errno;
	while (more > 0) {
		ssize_t n = mnl_socket_recvfrom(r->socket, bytes, LIMIT_RTNL_BUFFER_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		more = take_answers(r, bytes, (int)n, answers, interrupted);
	}
	if (more < 0)
		return more;
	return answers ? buf_error(answers) : 0;
}

int rtnl_do(struct rtnl *r, struct rtnl_request *q)
{
	bool interrupted;

	q->header->nlmsg_flags |= NLM_F_ACK;
	return talk(r, q, NULL, &interrupted);
}

int rtnl_ask(struct rtnl *r, struct rtnl_request *q, struct buf *ret_answers)
{
	bool interrupted;

	q->header->nlmsg_flags |= NLM_F_ACK;
	return talk(r, q, ret_answers, &interrupted);
}

int rtnl_dump(struct rtnl *r, struct rtnl_request *q, struct buf *ret_answers)
{
	bool interrupted;

	q->header->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < LIMIT_RTNL_DUMP_RETRIES; i++) {
		int ret;

		interrupted = false;
		buf_reset(ret_answers);
		ret = talk(r, q, ret_answers, &interrupted);
		if (ret < 0 || !interrupted)
			return ret;
	}
	return -EAGAIN;
}

void rtnl_attrs_span(const void *span, size_t size, const struct nlattr **ret, uint16_t max)
{
	const struct nlattr *a = span;
	int left = (int)size;

	memset(ret, 0, (max + 1U) * sizeof(*ret));
	while (mnl_attr_ok(a, left)) {
		const struct nlattr *next = mnl_attr_next(a);
		uint16_t type = mnl_attr_get_type(a);

		if (type <= max)
			ret[type] = a;
		left -= (int)((const char *)next - (const char *)a);
		a = next;
	}
}

void rtnl_attrs(const struct nlmsghdr *h, size_t size, const struct nlattr **ret, uint16_t max)
{
	size_t total = mnl_nlmsg_get_payload_len(h), skip = NLMSG_ALIGN(size);

	if (total < skip)
		rtnl_attrs_span(NULL, 0, ret, max);
	else
		rtnl_attrs_span(mnl_nlmsg_get_payload_offset(h, size), total - skip, ret, max);
}

void rtnl_attrs_nested(const struct nlattr *nest, const struct nlattr **ret, uint16_t max)
{
	if (!nest)
		rtnl_attrs_span(NULL, 0, ret, max);
	else
		rtnl_attrs_span(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), ret,
				max);
}

uint32_t rtnl_attr_u32(const struct nlattr *a, uint32_t otherwise)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_u32(a) : otherwise;
}

struct ipaddr rtnl_attr_addr(const struct nlattr *a)
{
	struct ipaddr addr = {0};
	size_t size = a ? mnl_attr_get_payload_len(a) : 0;

	if (size == 4)
		addr = ipaddr_from_v4(0);
	if (size == 4 || size == 16)
		memcpy(addr.b + 16 - size, mnl_attr_get_payload(a), size);
	return addr;
}

void rtnl_put_addr(struct nlmsghdr *h, uint16_t type, const struct ipaddr *a)
{
	size_t skip = ipaddr_is_v4(a) ? 12 : 0;

	mnl_attr_put(h, type, sizeof(a->b) - skip, a->b + skip);
}

uint8_t rtnl_family(const struct ipaddr *a)
{
	return ipaddr_is_v4(a) ? AF_INET : AF_INET6;
}

uint8_t rtnl_len_from(uint8_t family, uint8_t len)
{
	return (uint8_t)(family == AF_INET ? len + 96 : len);
}
