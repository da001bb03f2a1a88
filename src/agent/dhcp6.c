/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dhcp6.h"

#include <string.h>

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE = 2,
	DHCP6_REQUEST = 3,
	DHCP6_CONFIRM = 4,
	DHCP6_RENEW = 5,
	DHCP6_REBIND = 6,
	DHCP6_REPLY = 7,
	DHCP6_RELEASE = 8,
	DHCP6_DECLINE = 9,
	DHCP6_INFORMATION = 11,
};

enum dhcp6_option {
	OPTION_CLIENT_ID = 1,
	OPTION_SERVER_ID = 2,
	OPTION_IA_NA = 3,
	OPTION_IA_TA = 4,
	OPTION_ADDRESS = 5,
	OPTION_STATUS = 13,
	OPTION_RAPID_COMMIT = 14,
	OPTION_DNS = 23,
	OPTION_DOMAINS = 24,
	OPTION_IA_PD = 25,
};

enum dhcp6_status {
	STATUS_SUCCESS = 0,
	STATUS_NO_ADDRESS = 2,
	STATUS_NOT_ON_LINK = 4,
	STATUS_USE_MULTICAST = 5,
	STATUS_NO_PREFIX = 6,
};

enum {
	HEADER_SIZE = 4,
	IA_SIZE = 12,      /* IAID, T1, T2 */
	ADDRESS_SIZE = 24, /* with its lifetimes */
	DUID_LL = 3,
	DUID_LL_SIZE = 2 + 2 + 6,
	ETHERNET = 1,
	LABEL_MAX = 63,
};

struct dhcp6_request {
	uint8_t type;
	uint8_t transaction[3];
	struct cursor client, server; /* the DUIDs */
	bool has_client, has_server;
	bool rapid_commit;
	bool has_ia;           /* of any kind */
	struct cursor options; /* all of them, for the IAs */
};

/* ---- reading ---- */

static struct cursor next_option(struct cursor *c, uint16_t *ret_code)
{
	*ret_code = cursor_be16(c);
	return cursor_sub(c, cursor_be16(c));
}

static void read_duid(struct cursor *option, bool *has, struct cursor *ret)
{
	if (*has || cursor_left(option) < 3 || cursor_left(option) > DHCP6_DUID_MAX)
		cursor_fail(option);
	*has = true;
	*ret = *option;
}

static int read_options(struct dhcp6_request *r)
{
	struct cursor c = r->options;

	while (cursor_left(&c)) {
		uint16_t code;
		struct cursor option = next_option(&c, &code);

		if (cursor_error(&c))
			return -EBADMSG;
		switch (code) {
		case OPTION_CLIENT_ID:
			read_duid(&option, &r->has_client, &r->client);
			break;
		case OPTION_SERVER_ID:
			read_duid(&option, &r->has_server, &r->server);
			break;
		case OPTION_RAPID_COMMIT:
			r->rapid_commit = true;
			break;
		case OPTION_IA_NA:
		case OPTION_IA_PD:
			r->has_ia = true;
			cursor_skip(&option, IA_SIZE);
			break;
		case OPTION_IA_TA:
			r->has_ia = true;
			cursor_skip(&option, 4);
			break;
		default:
			break;
		}
		if (cursor_error(&option))
			return -EBADMSG;
	}
	return cursor_error(&c) ? -EBADMSG : 0;
}

static int read_request(const uint8_t *payload, size_t size, struct dhcp6_request *ret)
{
	struct dhcp6_request r = {0};
	struct cursor c;

	cursor_init(&c, payload, size);
	r.type = cursor_u8(&c);
	cursor_copy(&c, r.transaction, sizeof(r.transaction));
	if (cursor_error(&c))
		return -EBADMSG;
	r.options = c;
	if (read_options(&r))
		return -EBADMSG;
	*ret = r;
	return 0;
}

static void server_duid(const struct dhcp6_lease *lease, uint8_t ret[static DUID_LL_SIZE])
{
	const uint8_t head[4] = {0, DUID_LL, 0, ETHERNET};

	memcpy(ret, head, sizeof(head));
	memcpy(ret + sizeof(head), lease->router_mac.b, sizeof(lease->router_mac.b));
}

static bool is_for_us(const struct dhcp6_request *r, const struct dhcp6_lease *lease)
{
	uint8_t duid[DUID_LL_SIZE];

	server_duid(lease, duid);
	return cursor_left(&r->server) == sizeof(duid) && !memcmp(r->server.at, duid, sizeof(duid));
}

/* RFC 8415 16: what each message must have and must not.  0, or -EBADMSG. */
static int check_form(const struct dhcp6_request *r)
{
	switch (r->type) {
	case DHCP6_SOLICIT:
	case DHCP6_CONFIRM:
	case DHCP6_REBIND:
		return r->has_client && !r->has_server ? 0 : -EBADMSG;
	case DHCP6_REQUEST:
	case DHCP6_RENEW:
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		return r->has_client && r->has_server ? 0 : -EBADMSG;
	case DHCP6_INFORMATION:
		return r->has_ia ? -EBADMSG : 0;
	default:
		return -EBADMSG;
	}
}

/* ---- writing ---- */

static void put_option(struct buf *b, enum dhcp6_option code, const void *data, size_t size)
{
	buf_put_be16(b, (uint16_t)code);
	buf_put_be16(b, (uint16_t)size);
	buf_put(b, data, size);
}

static void put_status(struct buf *b, enum dhcp6_status status, const char *text)
{
	buf_put_be16(b, OPTION_STATUS);
	buf_put_be16(b, (uint16_t)(2 + strlen(text)));
	buf_put_be16(b, (uint16_t)status);
	buf_put_str(b, text);
}

static void put_address(struct buf *b, const struct ipaddr *a, uint32_t preferred, uint32_t valid)
{
	buf_put_be16(b, OPTION_ADDRESS);
	buf_put_be16(b, ADDRESS_SIZE);
	buf_put(b, a->b, sizeof(a->b));
	buf_put_be32(b, preferred);
	buf_put_be32(b, valid);
}

static bool is_ours(const struct dhcp6_lease *lease, const struct ipaddr *a)
{
	for (size_t i = 0; i < lease->n_addrs; i++)
		if (ipaddr_equal(&lease->addrs[i], a))
			return true;
	return false;
}

static bool is_given(const struct ipaddr *a)
{
	return !ipaddr_is_v4(a) && !ipaddr_is_link_local(a);
}

static size_t put_leases(struct buf *b, const struct dhcp6_lease *lease)
{
	size_t n = 0;

	for (size_t i = 0; i < lease->n_addrs; i++) {
		if (!is_given(&lease->addrs[i]))
			continue;
		put_address(b, &lease->addrs[i], DHCP6_PREFERRED_S, DHCP6_VALID_S);
		n++;
	}
	return n;
}

/* The addresses that the client names in an IA; 'fn' for each. */
static void each_named(struct cursor ia, void (*fn)(const struct ipaddr *a, void *data), void *data)
{
	while (cursor_left(&ia)) {
		uint16_t code;
		struct cursor option = next_option(&ia, &code);
		struct ipaddr a;

		if (cursor_error(&ia))
			return;
		cursor_copy(&option, a.b, sizeof(a.b));
		if (code == OPTION_ADDRESS && !cursor_error(&option))
			fn(&a, data);
	}
}

struct ending {
	struct buf *b;
	const struct dhcp6_lease *lease;
};

static void put_ended(const struct ipaddr *a, void *data)
{
	const struct ending *e = data;

	if (!is_ours(e->lease, a))
		put_address(e->b, a, 0, 0);
}

static void put_ia_head(struct buf *b, enum dhcp6_option code, const uint8_t iaid[4], uint32_t t1,
			uint32_t t2, size_t *ret_size_at)
{
	buf_put_be16(b, (uint16_t)code);
	*ret_size_at = buf_size(b);
	buf_put_be16(b, 0);
	buf_put(b, iaid, 4);
	if (code == OPTION_IA_TA)
		return;
	buf_put_be32(b, t1);
	buf_put_be32(b, t2);
}

/* Writes the size of what was appended since. */
static void end_option(struct buf *b, size_t size_at)
{
	size_t size = buf_size(b) - size_at - 2;
	uint8_t *at = (uint8_t *)(uintptr_t)buf_data(b);

	if (buf_error(b))
		return;
	at[size_at] = (uint8_t)(size >> 8);
	at[size_at + 1] = (uint8_t)size;
}

/* 'first': the IA that gets the addresses. */
static void put_ia(struct buf *b, uint16_t code, struct cursor ia, bool first,
		   const struct dhcp6_lease *lease)
{
	bool gives = code == OPTION_IA_NA && first;
	struct ending ending = {b, lease};
	uint8_t iaid[4];
	size_t size_at, n = 0;

	cursor_copy(&ia, iaid, sizeof(iaid));
	cursor_skip(&ia, code == OPTION_IA_TA ? 0 : IA_SIZE - 4);
	put_ia_head(b, (enum dhcp6_option)code, iaid, gives ? DHCP6_T1_S : 0,
		    gives ? DHCP6_T2_S : 0, &size_at);
	if (gives)
		n = put_leases(b, lease);
	if (code == OPTION_IA_NA)
		each_named(ia, put_ended, &ending);
	if (!n)
		put_status(b, code == OPTION_IA_PD ? STATUS_NO_PREFIX : STATUS_NO_ADDRESS,
			   code == OPTION_IA_PD ? "no prefixes are delegated"
						: "no addresses for this");
	end_option(b, size_at);
}

static void put_ias(struct buf *b, const struct dhcp6_request *r, const struct dhcp6_lease *lease)
{
	struct cursor c = r->options;
	bool first = true;

	while (cursor_left(&c)) {
		uint16_t code;
		struct cursor option = next_option(&c, &code);

		if (code != OPTION_IA_NA && code != OPTION_IA_TA && code != OPTION_IA_PD)
			continue;
		put_ia(b, code, option, first, lease);
		first &= code != OPTION_IA_NA;
	}
}

/* RFC 1035 3.1, without compression; a name that is none is left out. */
static void put_domain(struct buf *b, const char *domain)
{
	size_t length = domain ? strlen(domain) : 0, size_at;

	if (!length || length > 253 || domain[0] == '.' || strstr(domain, ".."))
		return;
	for (const char *s = domain; *s; s += strcspn(s, "."), s += *s == '.')
		if (strcspn(s, ".") > LABEL_MAX)
			return;
	buf_put_be16(b, OPTION_DOMAINS);
	size_at = buf_size(b);
	buf_put_be16(b, 0);
	for (const char *s = domain; *s; s += *s == '.') {
		size_t n = strcspn(s, ".");

		buf_put_u8(b, (uint8_t)n);
		buf_put(b, s, n);
		s += n;
	}
	buf_put_u8(b, 0);
	end_option(b, size_at);
}

static void put_network(struct buf *b, const struct dhcp6_lease *lease)
{
	if (lease->n_resolvers)
		put_option(b, OPTION_DNS, lease->resolvers,
			   lease->n_resolvers * sizeof(lease->resolvers[0]));
	put_domain(b, lease->domain);
}

static void put_header(struct buf *b, const struct dhcp6_request *r,
		       const struct dhcp6_lease *lease, enum dhcp6_type type)
{
	uint8_t duid[DUID_LL_SIZE];

	server_duid(lease, duid);
	buf_put_u8(b, (uint8_t)type);
	buf_put(b, r->transaction, sizeof(r->transaction));
	if (r->has_client)
		put_option(b, OPTION_CLIENT_ID, r->client.at, cursor_left(&r->client));
	put_option(b, OPTION_SERVER_ID, duid, sizeof(duid));
}

/* ---- what is answered ---- */

struct confirming {
	const struct dhcp6_lease *lease;
	size_t n, elsewhere;
};

static void confirm_one(const struct ipaddr *a, void *data)
{
	struct confirming *c = data;

	c->n++;
	c->elsewhere += !prefix_contains(&c->lease->subnet, a);
}

/* RFC 8415 18.3.3: whether the addresses are of this link; nothing when none is named. */
static bool answer_confirm(struct buf *b, const struct dhcp6_request *r,
			   const struct dhcp6_lease *lease)
{
	struct confirming named = {.lease = lease};
	struct cursor c = r->options;

	while (cursor_left(&c)) {
		uint16_t code;
		struct cursor option = next_option(&c, &code);

		if (code != OPTION_IA_NA)
			continue;
		cursor_skip(&option, IA_SIZE);
		each_named(option, confirm_one, &named);
	}
	if (!named.n)
		return false;
	put_header(b, r, lease, DHCP6_REPLY);
	put_status(b, named.elsewhere ? STATUS_NOT_ON_LINK : STATUS_SUCCESS,
		   named.elsewhere ? "not of this link" : "");
	put_network(b, lease);
	return true;
}

static bool has_addresses(const struct dhcp6_lease *lease)
{
	for (size_t i = 0; i < lease->n_addrs; i++)
		if (is_given(&lease->addrs[i]))
			return true;
	return false;
}

static const char *answer_solicit(struct buf *b, const struct dhcp6_request *r,
				  const struct dhcp6_lease *lease)
{
	bool gives = has_addresses(lease), commits = r->rapid_commit && gives;

	put_header(b, r, lease, commits ? DHCP6_REPLY : DHCP6_ADVERTISE);
	if (commits)
		put_option(b, OPTION_RAPID_COMMIT, NULL, 0);
	put_ias(b, r, lease);
	if (!gives)
		put_status(b, STATUS_NO_ADDRESS, "the interface has no IPv6 address");
	put_network(b, lease);
	return commits ? "reply" : "advertise";
}

/* RFC 8415 18.4: nobody was told to send to this server alone. */
static const char *answer_unicast(struct buf *b, const struct dhcp6_request *r,
				  const struct dhcp6_lease *lease)
{
	if (r->type != DHCP6_REQUEST && r->type != DHCP6_RENEW && r->type != DHCP6_RELEASE &&
	    r->type != DHCP6_DECLINE)
		return NULL;
	put_header(b, r, lease, DHCP6_REPLY);
	put_status(b, STATUS_USE_MULTICAST, "send to ff02::1:2");
	return "use multicast";
}

/* Appends the answer and names it; NULL: there is none. */
static const char *answer(struct buf *b, const struct dhcp6_request *r,
			  const struct dhcp6_lease *lease)
{
	switch (r->type) {
	case DHCP6_SOLICIT:
		return answer_solicit(b, r, lease);
	case DHCP6_REQUEST:
	case DHCP6_RENEW:
	case DHCP6_REBIND:
		put_header(b, r, lease, DHCP6_REPLY);
		put_ias(b, r, lease);
		put_network(b, lease);
		return "reply";
	case DHCP6_CONFIRM:
		return answer_confirm(b, r, lease) ? "confirmation" : NULL;
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		put_header(b, r, lease, DHCP6_REPLY);
		put_status(b, STATUS_SUCCESS, "");
		return "reply";
	default: /* Information-request */
		put_header(b, r, lease, DHCP6_REPLY);
		put_network(b, lease);
		return "information";
	}
}

int dhcp6_serve(const uint8_t *payload, size_t size, bool unicast, const struct dhcp6_lease *lease,
		struct buf *b, enum dhcp6_verdict *ret_verdict, const char **ret_kind)
{
	struct dhcp6_request r;
	const char *kind = NULL;
	int e;

	e = read_request(payload, size, &r);
	if (!e)
		e = check_form(&r);
	if (e)
		return e;
	if (!r.has_server || is_for_us(&r, lease))
		kind = unicast ? answer_unicast(b, &r, lease) : answer(b, &r, lease);
	e = kind ? buf_error(b) : 0;
	if (e)
		return e;
	*ret_verdict = kind ? DHCP6_ANSWER : DHCP6_SILENT;
	*ret_kind = kind ? kind : "nothing";
	return 0;
}
