/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dhcp.h"

#include <string.h>

/* RFC 2131 figure 1 and RFC 2132. */
enum {
	DHCP_OP_REQUEST = 1,
	DHCP_OP_REPLY = 2,
	DHCP_HTYPE_ETHERNET = 1,
	DHCP_CHADDR_SIZE = 16,
	DHCP_SNAME_FILE_SIZE = 64 + 128,
	DHCP_FLAG_BROADCAST = 0x8000,
	DHCP_MIN_PAYLOAD = 300, /* BOOTP's size: relays and old clients drop less (RFC 1542 2.1) */
	DHCP_DOMAIN_MAX = 140,  /* what else is told leaves no more of 312 bytes (RFC 2131 2) */
};
#define DHCP_COOKIE 0x63825363U

enum dhcp_option {
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOST_NAME = 12,
	OPTION_DOMAIN = 15,
	OPTION_MTU = 26,
	OPTION_NTP = 42,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_MESSAGE = 56,
	OPTION_T1 = 58,
	OPTION_T2 = 59,
	OPTION_ROUTES = 121,
	OPTION_END = 255,
};

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
	DHCP_INFORM = 8,
};

struct dhcp_request {
	uint32_t xid;
	uint16_t flags;
	struct ipaddr client; /* ciaddr */
	uint32_t relay;       /* giaddr */
	struct mac mac;
	uint8_t type;
	bool has_requested, has_server;
	struct ipaddr requested, server;
};

static void dhcp_read_address(struct cursor *o, bool *ret_has, struct ipaddr *ret)
{
	*ret_has = true;
	*ret = ipaddr_from_v4(cursor_be32(o));
	if (cursor_left(o))
		cursor_fail(o);
}

static void dhcp_read_option(uint8_t code, struct cursor *o, struct dhcp_request *r)
{
	switch (code) {
	case OPTION_TYPE:
		r->type = cursor_u8(o);
		if (cursor_left(o))
			cursor_fail(o);
		break;
	case OPTION_REQUESTED:
		dhcp_read_address(o, &r->has_requested, &r->requested);
		break;
	case OPTION_SERVER:
		dhcp_read_address(o, &r->has_server, &r->server);
		break;
	case OPTION_OVERLOAD:
		/* Options continued in sname and file: no client needs that room, only attackers
		 * do. */
		cursor_fail(o);
		break;
	default:
		break;
	}
}

static int dhcp_read_options(struct cursor *c, struct dhcp_request *r)
{
	uint64_t seen[4] = {
		0}; /* bit per code: an option given twice is a riddle (RFC 3396 aside) */

	while (cursor_left(c)) {
		uint8_t code = cursor_u8(c);
		struct cursor option;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			break;
		option = cursor_sub(c, cursor_u8(c));
		if (cursor_error(c))
			return -EBADMSG;
		if (seen[code / 64] >> (code % 64) & 1 && code >= OPTION_REQUESTED &&
		    code <= OPTION_SERVER)
			return -EBADMSG;
		seen[code / 64] |= UINT64_C(1) << (code % 64);
		dhcp_read_option(code, &option, r);
		if (cursor_error(&option))
			return -EBADMSG;
	}
	return r->type >= DHCP_DISCOVER && r->type <= DHCP_INFORM ? 0 : -EBADMSG;
}

static int dhcp_read(const uint8_t *payload, size_t size, struct dhcp_request *ret)
{
	struct dhcp_request r = {0};
	struct cursor c;
	uint8_t op, htype, hlen;

	cursor_init(&c, payload, size);
	op = cursor_u8(&c);
	htype = cursor_u8(&c);
	hlen = cursor_u8(&c);
	cursor_skip(&c, 1); /* hops */
	r.xid = cursor_be32(&c);
	cursor_skip(&c, 2); /* secs */
	r.flags = cursor_be16(&c);
	r.client = ipaddr_from_v4(cursor_be32(&c));
	cursor_skip(&c, 8); /* yiaddr, siaddr */
	r.relay = cursor_be32(&c);
	cursor_copy(&c, r.mac.b, sizeof(r.mac.b));
	cursor_skip(&c, DHCP_CHADDR_SIZE - sizeof(r.mac.b) + DHCP_SNAME_FILE_SIZE);
	if (cursor_be32(&c) != DHCP_COOKIE || cursor_error(&c))
		return -EBADMSG;
	if (op != DHCP_OP_REQUEST || htype != DHCP_HTYPE_ETHERNET || hlen != sizeof(r.mac.b))
		return -EBADMSG;
	if (dhcp_read_options(&c, &r))
		return -EBADMSG;
	*ret = r;
	return 0;
}

static void dhcp_put_address(struct buf *b, enum dhcp_option code, const struct ipaddr *a)
{
	buf_put_u8(b, code);
	buf_put_u8(b, 4);
	buf_put_be32(b, ipaddr_v4(a));
}

static void dhcp_put_servers(struct buf *b, enum dhcp_option code, const struct ipaddr *servers,
			     size_t n)
{
	if (!n)
		return;
	buf_put_u8(b, code);
	buf_put_u8(b, (uint8_t)(4 * n));
	for (size_t i = 0; i < n; i++)
		buf_put_be32(b, ipaddr_v4(&servers[i]));
}

static void dhcp_put_u32(struct buf *b, enum dhcp_option code, uint32_t v)
{
	buf_put_u8(b, code);
	buf_put_u8(b, 4);
	buf_put_be32(b, v);
}

static void dhcp_put_text(struct buf *b, enum dhcp_option code, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (!length)
		return;
	buf_put_u8(b, code);
	buf_put_u8(b, (uint8_t)length);
	buf_put(b, text, length);
}

/* RFC 3442: a route's prefix is cut to the bytes that matter. */
static size_t dhcp_route_size(const struct prefix *p)
{
	return 1 + (prefix_text_len(p) + 7U) / 8 + 4;
}

static void dhcp_put_route(struct buf *b, const struct prefix *p, uint32_t via)
{
	buf_put_u8(b, prefix_text_len(p));
	buf_put(b, p->addr.b + 12, (prefix_text_len(p) + 7U) / 8);
	buf_put_be32(b, via);
}

static void dhcp_put_routes(struct buf *b, const struct dhcp_lease *lease)
{
	size_t size = dhcp_route_size(&lease->network) + 1 + 4;

	if (!lease->network.len)
		return;
	for (size_t i = 0; i < lease->n_routes; i++)
		size += dhcp_route_size(&lease->routes[i].prefix);
	buf_put_u8(b, OPTION_ROUTES);
	buf_put_u8(b, (uint8_t)size); /* 9 bytes a route at most: it fits */
	dhcp_put_route(b, &lease->network, ipaddr_v4(&lease->router));
	for (size_t i = 0; i < lease->n_routes; i++)
		dhcp_put_route(b, &lease->routes[i].prefix,
			       ipaddr_is_zero(&lease->routes[i].via)
				       ? 0
				       : ipaddr_v4(&lease->routes[i].via));
	/* Who reads this option ignores the router option, so the default route is here as well. */
	buf_put_u8(b, 0);
	buf_put_be32(b, ipaddr_v4(&lease->router));
}

static void dhcp_put_lease(struct buf *b, const struct dhcp_lease *lease, bool timed)
{
	const uint32_t mask = (uint32_t)(~UINT64_C(0) << (128 - lease->subnet.len));

	if (timed) {
		dhcp_put_u32(b, OPTION_LEASE, DHCP_LEASE_SECONDS);
		dhcp_put_u32(b, OPTION_T1, DHCP_LEASE_SECONDS / 2);
		dhcp_put_u32(b, OPTION_T2, DHCP_LEASE_SECONDS / 8 * 7);
	}
	dhcp_put_u32(b, OPTION_MASK, mask);
	dhcp_put_address(b, OPTION_ROUTER, &lease->router);
	dhcp_put_servers(b, OPTION_DNS, lease->resolvers, lease->n_resolvers);
	dhcp_put_servers(b, OPTION_NTP, lease->ntp, lease->n_ntp);
	dhcp_put_text(b, OPTION_HOST_NAME, lease->host_name);
	if (lease->domain && strnlen(lease->domain, DHCP_DOMAIN_MAX + 1) <= DHCP_DOMAIN_MAX)
		dhcp_put_text(b, OPTION_DOMAIN, lease->domain);
	if (lease->mtu) {
		buf_put_u8(b, OPTION_MTU);
		buf_put_u8(b, 2);
		buf_put_be16(b, lease->mtu);
	}
	dhcp_put_routes(b, lease);
}

static void dhcp_write(struct buf *b, const struct dhcp_request *r, const struct dhcp_lease *lease,
		       enum dhcp_type type)
{
	const size_t start = buf_size(b);
	const bool inform = r->type == DHCP_INFORM;
	const bool nak = type == DHCP_NAK;

	buf_put_u8(b, DHCP_OP_REPLY);
	buf_put_u8(b, DHCP_HTYPE_ETHERNET);
	buf_put_u8(b, sizeof(r->mac.b));
	buf_put_u8(b, 0);
	buf_put_be32(b, r->xid);
	buf_put_be16(b, 0);
	buf_put_be16(b, r->flags);
	buf_put_be32(b, nak ? 0 : ipaddr_v4(&r->client));
	buf_put_be32(b, nak || inform ? 0 : ipaddr_v4(&lease->addr));
	buf_put_zeros(b, 8);
	buf_put(b, r->mac.b, sizeof(r->mac.b));
	buf_put_zeros(b, DHCP_CHADDR_SIZE - sizeof(r->mac.b) + DHCP_SNAME_FILE_SIZE);
	buf_put_be32(b, DHCP_COOKIE);
	buf_put_u8(b, OPTION_TYPE);
	buf_put_u8(b, 1);
	buf_put_u8(b, (uint8_t)type);
	dhcp_put_address(b, OPTION_SERVER, &lease->router);
	if (nak)
		dhcp_put_text(b, OPTION_MESSAGE, "this address is not the interface's");
	else
		dhcp_put_lease(b, lease, !inform);
	buf_put_u8(b, OPTION_END);
	if (buf_size(b) - start < DHCP_MIN_PAYLOAD)
		buf_put_zeros(b, DHCP_MIN_PAYLOAD - (buf_size(b) - start));
}

/* RFC 2131 4.3.2: which address a REQUEST is about depends on the client's state. */
static bool dhcp_request_is_right(const struct dhcp_request *r, const struct dhcp_lease *lease)
{
	if (r->has_requested && ipaddr_v4(&r->client) == 0) /* SELECTING, INIT-REBOOT */
		return ipaddr_equal(&r->requested, &lease->addr);
	return ipaddr_equal(&r->client, &lease->addr); /* RENEWING, REBINDING */
}

/* The type of the answer, or 0 for none, and what to call this in logs. */
static enum dhcp_type dhcp_decide(const struct dhcp_request *r, const struct dhcp_lease *lease,
				  const char **ret_kind)
{
	switch (r->type) {
	case DHCP_DISCOVER:
		*ret_kind = "offer";
		return DHCP_OFFER;
	case DHCP_REQUEST:
		if (r->has_server && !ipaddr_equal(&r->server, &lease->router)) {
			*ret_kind = "other server";
			return 0;
		}
		*ret_kind = dhcp_request_is_right(r, lease) ? "ack" : "nak";
		return dhcp_request_is_right(r, lease) ? DHCP_ACK : DHCP_NAK;
	case DHCP_INFORM:
		*ret_kind = "inform from another address";
		if (!ipaddr_equal(&r->client, &lease->addr))
			return 0;
		*ret_kind = "ack";
		return DHCP_ACK;
	case DHCP_DECLINE:
		*ret_kind = "decline";
		return 0;
	case DHCP_RELEASE:
		*ret_kind = "release";
		return 0;
	default:
		*ret_kind = "a server's message";
		return 0;
	}
}

/* RFC 2131 4.1.  The interface's MAC is known, so that a client without an address can be reached
 * by unicast unless it says that it cannot take that. */
static void dhcp_address_answer(const struct dhcp_request *r, const struct dhcp_lease *lease,
				enum dhcp_type type, struct dhcp_answer *answer)
{
	if (type != DHCP_NAK && ipaddr_v4(&r->client)) {
		answer->destination = r->client;
		answer->broadcast = false;
	} else {
		answer->destination = lease->addr;
		answer->broadcast = type == DHCP_NAK || r->flags & DHCP_FLAG_BROADCAST;
	}
}

int dhcp_serve(const uint8_t *payload, size_t size, const struct dhcp_lease *lease, struct buf *b,
	       enum dhcp_verdict *ret_verdict, struct dhcp_answer *ret_answer)
{
	struct dhcp_answer answer = {.kind = "another client's"};
	struct dhcp_request r;
	enum dhcp_type type;
	int e;

	e = dhcp_read(payload, size, &r);
	if (e)
		return e;
	if (!mac_equal(&r.mac, &lease->mac)) {
		*ret_verdict = DHCP_REFUSED;
		*ret_answer = answer;
		return 0;
	}
	type = dhcp_decide(&r, lease, &answer.kind);
	/* There are no relays inside a subnet: a request that says so was made up. */
	if (!type || r.relay) {
		*ret_verdict = DHCP_SILENT;
		*ret_answer = answer;
		return 0;
	}
	dhcp_address_answer(&r, lease, type, &answer);
	dhcp_write(b, &r, lease, type);
	e = buf_error(b);
	if (e)
		return e;
	*ret_verdict = DHCP_ANSWER;
	*ret_answer = answer;
	return 0;
}
