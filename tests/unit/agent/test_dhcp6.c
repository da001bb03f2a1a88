/* SPDX-License-Identifier: Apache-2.0 */
/* The DHCPv6 server of an interface and its router's advertisements: what each message of a client
 * gets, and what hostile bytes get. */
#include "agent/dhcp6.h"

#include <string.h>

#include "agent/ra.h"
#include "agent/reply6.h"
#include "tests/unit/addr.h"

enum {
	SOLICIT = 1,
	ADVERTISE = 2,
	REQUEST = 3,
	CONFIRM = 4,
	RENEW = 5,
	REBIND = 6,
	REPLY = 7,
	RELEASE = 8,
	DECLINE = 9,
	RECONFIGURE = 10,
	INFORMATION = 11,
	RELAY = 12,
};

#define SERVER "\x00\x03\x00\x01\x0a\x56\x00\x00\x07\x01"
#define CLIENT "\x00\x03\x00\x01\x02\x00\x00\x00\x00\x07"

static const struct mac router_mac = {{0x0a, 0x56, 0, 0, 7, 1}};

static struct dhcp6_lease lease(struct ipaddr addrs[4], size_t n)
{
	struct dhcp6_lease l = {
		.router_mac = router_mac,
		.addrs = addrs,
		.n_addrs = n,
		.resolvers = {addr_of("2001:db8::53")},
		.n_resolvers = 1,
		.domain = "ec2.internal",
	};

	addrs[0] = addr_of("10.0.1.4");
	addrs[1] = addr_of("2001:db8:1::a");
	addrs[2] = addr_of("fe80::7");
	addrs[3] = addr_of("2001:db8:1::b");
	assert_ok(prefix_parse("2001:db8:1::/64", &l.subnet));
	return l;
}

/* A message under construction. */
struct request {
	struct buf b;
};

static struct request request(uint8_t type)
{
	struct request r;

	buf_init(&r.b, 2000);
	buf_put_u8(&r.b, type);
	buf_put(&r.b, "\x11\x22\x33", 3);
	return r;
}

static void option(struct request *r, uint16_t code, const void *data, size_t size)
{
	buf_put_be16(&r->b, code);
	buf_put_be16(&r->b, (uint16_t)size);
	buf_put(&r->b, data, size);
}

static void client(struct request *r)
{
	option(r, 1, CLIENT, 10);
}

static void server(struct request *r)
{
	option(r, 2, SERVER, 10);
}

/* An IA_NA that names an address, or none. */
static void ia(struct request *r, uint8_t iaid, const char *named)
{
	uint8_t body[40] = {[3] = iaid};
	struct ipaddr a;

	if (named) {
		a = addr_of(named);
		memcpy(body + 12, "\x00\x05\x00\x18", 4);
		memcpy(body + 16, a.b, 16);
	}
	option(r, 3, body, named ? 40 : 12);
}

struct got {
	int result;
	enum dhcp6_verdict verdict;
	const char *kind;
	struct buf b;
};

/* Takes 'r'. */
static struct got serve(struct request *r, size_t n_addrs, bool unicast)
{
	struct got g = {.kind = ""};
	struct ipaddr addrs[4];
	const struct dhcp6_lease l = lease(addrs, n_addrs);

	buf_init(&g.b, 1500);
	assert_ok(buf_error(&r->b));
	g.result = dhcp6_serve(buf_data(&r->b), buf_size(&r->b), unicast, &l, &g.b, &g.verdict,
			       &g.kind);
	buf_deinit(&r->b);
	return g;
}

/* The value of an option at the top of an answer, or NULL. */
static const uint8_t *find(const struct got *g, uint16_t code, size_t *ret_size)
{
	const uint8_t *at = buf_data(&g->b) + 4, *end = buf_data(&g->b) + buf_size(&g->b);

	while (end - at >= 4) {
		size_t size = (size_t)(at[2] << 8 | at[3]);

		assert_true((size_t)(end - at) >= 4 + size);
		if ((at[0] << 8 | at[1]) == code) {
			*ret_size = size;
			return at + 4;
		}
		at += 4 + size;
	}
	assert_ptr_equal(at, end);
	return NULL;
}

static void assert_head(const struct got *g, uint8_t type)
{
	const uint8_t *id;
	size_t size;

	assert_ok(g->result);
	assert_int_equal(g->verdict, DHCP6_ANSWER);
	assert_int_equal(buf_data(&g->b)[0], type);
	assert_memory_equal(buf_data(&g->b) + 1, "\x11\x22\x33", 3);
	id = find(g, 2, &size);
	assert_non_null(id);
	assert_int_equal(size, 10);
	assert_memory_equal(id, SERVER, 10);
}

static void assert_client(const struct got *g)
{
	size_t size;
	const uint8_t *id = find(g, 1, &size);

	assert_non_null(id);
	assert_int_equal(size, 10);
	assert_memory_equal(id, CLIENT, 10);
}

/* Both addresses, with EC2's lifetimes. */
static void assert_leased(const struct got *g)
{
	struct ipaddr a = addr_of("2001:db8:1::a"), b = addr_of("2001:db8:1::b");
	size_t size;
	const uint8_t *at = find(g, 3, &size);

	assert_non_null(at);
	assert_true(size >= 12 + 2 * 28);
	assert_memory_equal(at, "\0\0\0\1\0\0\0\x46\0\0\0\x70", 12);
	assert_memory_equal(at + 12, "\0\5\0\x18", 4);
	assert_memory_equal(at + 16, a.b, 16);
	assert_memory_equal(at + 32, "\0\0\0\x8c\0\0\1\xc2", 8);
	assert_memory_equal(at + 44, b.b, 16);
}

static void assert_status(const struct got *g, uint16_t status)
{
	size_t size;
	const uint8_t *at = find(g, 13, &size);

	assert_non_null(at);
	assert_int_equal(at[0] << 8 | at[1], status);
}

/* requirement: PKT-1, PKT-8 */
static void test_solicit(void **state)
{
	struct request r = request(SOLICIT);
	const uint8_t *at;
	struct got g;
	size_t size;

	client(&r);
	ia(&r, 1, NULL);
	g = serve(&r, 4, false);
	assert_head(&g, ADVERTISE);
	assert_client(&g);
	assert_leased(&g);
	assert_null(find(&g, 14, &size));
	at = find(&g, 23, &size); /* resolvers */
	assert_non_null(at);
	assert_int_equal(size, 16);
	at = find(&g, 24, &size);
	assert_non_null(at);
	assert_int_equal(size, 14);
	assert_memory_equal(at, "\3ec2\10internal\0", 14);
	buf_deinit(&g.b);

	r = request(SOLICIT);
	client(&r);
	option(&r, 14, NULL, 0);
	ia(&r, 1, NULL);
	g = serve(&r, 4, false);
	assert_head(&g, REPLY); /* rapid commit */
	assert_leased(&g);
	assert_non_null(find(&g, 14, &size));
	buf_deinit(&g.b);

	/* an interface without IPv6 addresses commits to nothing */
	r = request(SOLICIT);
	client(&r);
	option(&r, 14, NULL, 0);
	ia(&r, 1, NULL);
	g = serve(&r, 1, false);
	assert_head(&g, ADVERTISE);
	assert_status(&g, 2);
	buf_deinit(&g.b);
}

/* requirement: PKT-1, PKT-8 */
static void test_leases(void **state)
{
	static const uint8_t types[] = {REQUEST, RENEW, REBIND};

	for (size_t i = 0; i < 3; i++) {
		struct request r = request(types[i]);
		struct ipaddr old = addr_of("2001:db8:1::99");
		const uint8_t *at;
		struct got g;
		size_t size;

		client(&r);
		if (types[i] != REBIND)
			server(&r);
		ia(&r, 1, "2001:db8:1::99"); /* what it has not any more */
		g = serve(&r, 4, false);
		assert_head(&g, REPLY);
		assert_client(&g);
		assert_leased(&g);
		at = find(&g, 3, &size);
		assert_int_equal(size, 12 + 3 * 28);
		assert_memory_equal(at + 12 + 2 * 28 + 4, old.b, 16);
		assert_memory_equal(at + 12 + 2 * 28 + 20, "\0\0\0\0\0\0\0\0", 8);
		buf_deinit(&g.b);
	}
}

/* A second association, and those of other kinds, get none. */
static void test_other_associations(void **state)
{
	struct request r = request(REQUEST);
	const uint8_t *at, *end;
	struct got g;
	size_t n = 0;

	client(&r);
	server(&r);
	option(&r, 25, "\0\0\0\3\0\0\0\0\0\0\0\0", 12);
	ia(&r, 1, NULL);
	ia(&r, 2, NULL);
	option(&r, 4, "\0\0\0\4", 4);
	g = serve(&r, 4, false);
	assert_head(&g, REPLY);
	assert_leased(&g);
	at = buf_data(&g.b) + 4;
	end = buf_data(&g.b) + buf_size(&g.b);
	for (; at < end; at += 4 + (at[2] << 8 | at[3])) {
		uint16_t code = (uint16_t)(at[0] << 8 | at[1]);
		size_t head = code == 4 ? 4 : 12;

		if ((code != 3 && code != 4 && code != 25) || (code == 3 && at[7] == 1))
			continue;
		n++;
		assert_memory_equal(at + 4 + head, "\0\15", 2); /* a status */
		assert_int_equal(at[4 + head + 5], code == 25 ? 6 : 2);
	}
	assert_int_equal(n, 3);
	buf_deinit(&g.b);
}

/* requirement: PKT-8 */
static void test_confirm(void **state)
{
	static const struct {
		const char *named;
		int status; /* -1: no answer */
	} rows[] = {
		{"2001:db8:1::a", 0},
		{"2001:db8:1::77", 0},
		{"2001:db8:2::a", 4},
		{NULL, -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request r = request(CONFIRM);
		struct got g;

		client(&r);
		ia(&r, 1, rows[i].named);
		g = serve(&r, 4, false);
		assert_ok(g.result);
		assert_int_equal(g.verdict, rows[i].status < 0 ? DHCP6_SILENT : DHCP6_ANSWER);
		if (rows[i].status >= 0) {
			assert_head(&g, REPLY);
			assert_status(&g, (uint16_t)rows[i].status);
		}
		buf_deinit(&g.b);
	}
}

static void test_the_rest(void **state)
{
	static const uint8_t types[] = {RELEASE, DECLINE};
	struct request r = request(INFORMATION);
	struct got g = serve(&r, 4, false);
	size_t size;

	assert_head(&g, REPLY);
	assert_null(find(&g, 1, &size));
	assert_non_null(find(&g, 23, &size));
	assert_null(find(&g, 3, &size));
	buf_deinit(&g.b);
	for (size_t i = 0; i < 2; i++) {
		r = request(types[i]);
		client(&r);
		server(&r);
		ia(&r, 1, "2001:db8:1::a");
		g = serve(&r, 4, false);
		assert_head(&g, REPLY);
		assert_status(&g, 0);
		buf_deinit(&g.b);
	}
	/* to the server alone, which nobody was told to do */
	r = request(RENEW);
	client(&r);
	server(&r);
	ia(&r, 1, NULL);
	g = serve(&r, 4, true);
	assert_head(&g, REPLY);
	assert_status(&g, 5);
	buf_deinit(&g.b);
	r = request(SOLICIT);
	client(&r);
	g = serve(&r, 4, true);
	assert_int_equal(g.verdict, DHCP6_SILENT);
	buf_deinit(&g.b);
	/* to another server */
	r = request(REQUEST);
	client(&r);
	option(&r, 2, CLIENT, 10);
	g = serve(&r, 4, false);
	assert_ok(g.result);
	assert_int_equal(g.verdict, DHCP6_SILENT);
	buf_deinit(&g.b);
}

/* RFC 8415 16: what is discarded for its form. */
static void test_malformed(void **state)
{
	static const struct {
		uint8_t type;
		bool client, server, ia;
	} rows[] = {
		{SOLICIT, false, false, true},    {SOLICIT, true, true, true},
		{REQUEST, true, false, true},     {REQUEST, false, true, true},
		{CONFIRM, true, true, true},      {RENEW, true, false, true},
		{REBIND, true, true, true},       {RELEASE, true, false, true},
		{DECLINE, false, true, true},     {INFORMATION, true, false, true},
		{ADVERTISE, true, true, true},    {REPLY, true, true, true},
		{RECONFIGURE, true, true, false}, {RELAY, true, false, false},
		{0, true, false, false},
	};
	struct request r;
	struct got g;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r = request(rows[i].type);
		if (rows[i].client)
			client(&r);
		if (rows[i].server)
			server(&r);
		if (rows[i].ia)
			ia(&r, 1, NULL);
		g = serve(&r, 4, false);
		assert_error(g.result, EBADMSG);
		assert_int_equal(buf_size(&g.b), 0);
		buf_deinit(&g.b);
	}
	r = request(SOLICIT); /* two clients */
	client(&r);
	client(&r);
	g = serve(&r, 4, false);
	assert_error(g.result, EBADMSG);
	buf_deinit(&g.b);
	r = request(SOLICIT); /* an association that is cut short */
	client(&r);
	option(&r, 3, "\0\0\0\1", 4);
	g = serve(&r, 4, false);
	assert_error(g.result, EBADMSG);
	buf_deinit(&g.b);
	r = request(SOLICIT); /* an option longer than the message */
	client(&r);
	buf_put(&r.b, "\0\3\0\x40zzz", 7);
	g = serve(&r, 4, false);
	assert_error(g.result, EBADMSG);
	buf_deinit(&g.b);
	r = request(SOLICIT); /* a DUID of no size */
	option(&r, 1, "", 0);
	g = serve(&r, 4, false);
	assert_error(g.result, EBADMSG);
	buf_deinit(&g.b);
}

/* ---- router discovery ---- */

/* requirement: PKT-1, PKT-9 */
static void test_advertisement(void **state)
{
	struct ra_params p = {.router_mac = router_mac, .mtu = 1460};
	struct reply6 r = {.source = addr_of("fe80::1"),
			   .destination = addr_of("ff02::1"),
			   .hop_limit = 255,
			   .protocol = 58};
	struct buf message, frame;
	struct reply6 back;
	const uint8_t *m;

	assert_ok(prefix_parse("2001:db8:1::/64", &p.prefix));
	buf_init(&message, 1500);
	buf_init(&frame, 1500);
	ra_write(&message, &p);
	assert_ok(buf_error(&message));
	assert_int_equal(buf_size(&message), 16 + 8 + 8 + 32);
	m = buf_data(&message);
	assert_memory_equal(m, "\x86\0\0\0\x40\xc0\7\x08", 8); /* managed, other; 1800 s */
	assert_memory_equal(m + 16, "\1\1\x0a\x56\0\0\7\1", 8);
	assert_memory_equal(m + 24, "\5\1\0\0\0\0\5\xb4", 8);
	assert_memory_equal(m + 32, "\3\4\x40\x80", 4); /* on link, nothing autonomous */
	assert_memory_equal(m + 48, p.prefix.addr.b, 16);
	r.payload = m;
	r.size = buf_size(&message);
	reply6_build(&frame, &r);
	assert_ok(reply6_parse(buf_data(&frame), buf_size(&frame), &back));
	assert_int_equal(back.size, r.size);
	assert_memory_equal(back.payload + 4, m + 4, r.size - 4);
	buf_deinit(&message);
	buf_deinit(&frame);
}

static void test_solicitations(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		uint8_t hop_limit;
		const char *source;
		bool ok;
	} rows[] = {
		{"\x85\0\0\0\0\0\0\0", 8, 255, "fe80::1", true},
		{"\x85\0\0\0\0\0\0\0", 8, 255, "::", true},
		{"\x85\0\0\0\0\0\0\0\1\1\2\0\0\0\0\1", 16, 255, "fe80::1", true},
		{"\x85\0\0\0\0\0\0\0\1\1\2\0\0\0\0\1", 16, 255, "::", false},
		{"\x85\0\0\0\0\0\0\0", 8, 64, "fe80::1", false},
		{"\x85\1\0\0\0\0\0\0", 8, 255, "fe80::1", false},
		{"\x86\0\0\0\0\0\0\0", 8, 255, "fe80::1", false},
		{"\x85\0\0\0\0\0\0", 7, 255, "fe80::1", false},
		{"\x85\0\0\0\0\0\0\0\1\0\2\0\0\0\0\1", 16, 255, "fe80::1", false},
		{"\x85\0\0\0\0\0\0\0\1\2\2\0\0\0\0\1", 16, 255, "fe80::1", false},
		{"\x85\0\0\0\0\0\0\0\1", 9, 255, "fe80::1", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ipaddr source = addr_of(rows[i].source);

		assert_int_equal(ra_check_solicitation((const uint8_t *)rows[i].bytes, rows[i].size,
						       rows[i].hop_limit, &source),
				 rows[i].ok ? 0 : -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_solicit),
		cmocka_unit_test(test_leases),
		cmocka_unit_test(test_other_associations),
		cmocka_unit_test(test_confirm),
		cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_advertisement),
		cmocka_unit_test(test_solicitations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
