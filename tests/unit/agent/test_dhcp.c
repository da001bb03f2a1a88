/* SPDX-License-Identifier: Apache-2.0 */
/* The DHCP server of an interface: what each message of a client gets, and what hostile bytes
 * get. */
#include "agent/dhcp.h"

#include <string.h>

#include "tests/unit/test.h"

enum { REQUEST_MAX = 600, OPTIONS_AT = 240, XID = 0x11223344 };

static const struct mac client_mac = {{0x02, 0, 0, 0, 0, 0x07}};

static struct dhcp_lease lease(void)
{
	return (struct dhcp_lease){
		.mac = client_mac,
		.addr = ipaddr_from_v4(0x0a000104),
		.subnet = prefix_v4(0x0a000100, 24),
		.router = ipaddr_from_v4(0x0a000101),
		.network = prefix_v4(0x0a000000, 16),
		.resolvers = {ipaddr_from_v4(0x0a000002)},
		.n_resolvers = 1,
		.mtu = 1460,
		.host_name = "ip-10-0-1-4",
		.domain = "ec2.internal",
	};
}

/* A request under construction. */
struct request {
	uint8_t bytes[REQUEST_MAX];
	size_t size;
};

static void put32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

static struct request request(uint32_t ciaddr, uint16_t flags)
{
	struct request r = {.size = OPTIONS_AT};

	r.bytes[0] = 1;
	r.bytes[1] = 1;
	r.bytes[2] = 6;
	put32(r.bytes + 4, XID);
	r.bytes[10] = (uint8_t)(flags >> 8);
	put32(r.bytes + 12, ciaddr);
	memcpy(r.bytes + 28, client_mac.b, 6);
	put32(r.bytes + 236, 0x63825363);
	return r;
}

static void option(struct request *r, uint8_t code, const void *data, uint8_t size)
{
	r->bytes[r->size++] = code;
	r->bytes[r->size++] = size;
	memcpy(r->bytes + r->size, data, size);
	r->size += size;
}

static void option32(struct request *r, uint8_t code, uint32_t v)
{
	uint8_t bytes[4];

	put32(bytes, v);
	option(r, code, bytes, 4);
}

static void type(struct request *r, uint8_t t)
{
	option(r, 53, &t, 1);
}

static void end(struct request *r)
{
	r->bytes[r->size++] = 255;
}

/* The option 'code' of an answer, or NULL. */
static const uint8_t *find(const struct buf *b, uint8_t code, uint8_t *ret_size)
{
	const uint8_t *p = buf_data(b) + OPTIONS_AT, *stop = buf_data(b) + buf_size(b);

	while (p < stop && *p != 255) {
		if (*p == 0) {
			p++;
			continue;
		}
		if (*p == code) {
			*ret_size = p[1];
			return p + 2;
		}
		p += 2 + p[1];
	}
	return NULL;
}

static void assert_option(const struct buf *b, uint8_t code, const void *data, uint8_t size)
{
	uint8_t found_size = 0;
	const uint8_t *found = find(b, code, &found_size);

	assert_non_null(found);
	assert_int_equal(found_size, size);
	assert_memory_equal(found, data, size);
}

static void assert_type(const struct buf *b, uint8_t t)
{
	assert_option(b, 53, &t, 1);
}

/* requirement: PKT-8, PKT-9 */
static void test_discover_is_offered_everything(void **state)
{
	struct dhcp_lease l = lease();
	struct request r = request(0, 0);
	static const uint8_t routes[] = {16, 10, 0, 10, 0, 1, 1, 0, 10, 0, 1, 1};
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;

	type(&r, 1);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_int_equal(verdict, DHCP_ANSWER);
	assert_string_equal(answer.kind, "offer");
	assert_false(answer.broadcast);
	assert_true(ipaddr_equal(&answer.destination, &l.addr));
	assert_true(buf_size(&b) >= 300);
	assert_int_equal(buf_data(&b)[0], 2);
	assert_memory_equal(buf_data(&b) + 4, "\x11\x22\x33\x44", 4);
	assert_memory_equal(buf_data(&b) + 16, "\x0a\x00\x01\x04", 4); /* yiaddr */
	assert_memory_equal(buf_data(&b) + 28, client_mac.b, 6);
	assert_type(&b, 2);
	assert_option(&b, 1, "\xff\xff\xff\x00", 4);
	assert_option(&b, 3, "\x0a\x00\x01\x01", 4);
	assert_option(&b, 54, "\x0a\x00\x01\x01", 4);
	assert_option(&b, 6, "\x0a\x00\x00\x02", 4);
	assert_option(&b, 26, "\x05\xb4", 2);
	assert_option(&b, 12, "ip-10-0-1-4", 11);
	assert_option(&b, 15, "ec2.internal", 12);
	assert_option(&b, 51, "\x00\x00\x0e\x10", 4);
	assert_option(&b, 121, routes, sizeof(routes));
	buf_deinit(&b);
}

/* Ways that an interface's record names come between the network's and the default one.
 * requirement: NIC-1 */
static void test_routes_of_a_record(void **state)
{
	static const uint8_t expected[] = {16, 10, 0, 10, 0, 1, 1, 12, 172, 16, 10, 0,
					   1,  9,  0, 0,  0, 0, 0, 0,  10,  0,  1,  1};
	struct dhcp_route routes[2] = {{.via = ipaddr_from_v4(0x0a000109)}};
	struct dhcp_lease l = lease();
	struct request r = request(0, 0);
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;

	assert_ok(prefix_parse("172.16.0.0/12", &routes[0].prefix));
	assert_ok(prefix_parse("0.0.0.0/0", &routes[1].prefix));
	l.routes = routes;
	l.n_routes = 2;
	type(&r, 1);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_option(&b, 121, expected, sizeof(expected));
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_what_is_not_known_is_not_told(void **state)
{
	struct dhcp_lease l = lease();
	struct request r = request(0, 0);
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;
	uint8_t size;

	l.n_resolvers = 0;
	l.network = (struct prefix){0};
	l.mtu = 0;
	l.host_name = NULL;
	l.domain = "";
	type(&r, 1);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_null(find(&b, 6, &size));
	assert_null(find(&b, 12, &size));
	assert_null(find(&b, 15, &size));
	assert_null(find(&b, 26, &size));
	assert_null(find(&b, 121, &size));
	buf_deinit(&b);
}

static const uint32_t own = 0x0a000104, other = 0x0a000105, server = 0x0a000101;

/* A client's REQUEST in each of its states (RFC 2131 table 4), and the other messages. */
static const struct row {
	const char *name;
	uint8_t type;
	uint32_t ciaddr, requested, server; /* 0: absent */
	uint16_t flags;
	enum dhcp_verdict verdict;
	uint8_t answer;
	bool broadcast;
} rows[] = {
	{"selecting", 3, 0, 0x0a000104, 0x0a000101, 0, DHCP_ANSWER, 5, false},
	{"selecting, broadcast", 3, 0, 0x0a000104, 0x0a000101, 0x8000, DHCP_ANSWER, 5, true},
	{"selecting another server", 3, 0, 0x0a000104, 0x0a000109, 0, DHCP_SILENT, 0, false},
	{"selecting another address", 3, 0, 0x0a000105, 0x0a000101, 0, DHCP_ANSWER, 6, true},
	{"init-reboot", 3, 0, 0x0a000104, 0, 0, DHCP_ANSWER, 5, false},
	{"init-reboot elsewhere", 3, 0, 0x0a000105, 0, 0, DHCP_ANSWER, 6, true},
	{"renewing", 3, 0x0a000104, 0, 0, 0, DHCP_ANSWER, 5, false},
	{"renewing, flag ignored", 3, 0x0a000104, 0, 0, 0x8000, DHCP_ANSWER, 5, false},
	{"renewing another's", 3, 0x0a000105, 0, 0, 0, DHCP_ANSWER, 6, true},
	{"asking for nothing", 3, 0, 0, 0, 0, DHCP_ANSWER, 6, true},
	{"inform", 8, 0x0a000104, 0, 0, 0, DHCP_ANSWER, 5, false},
	{"inform from elsewhere", 8, 0x0a000105, 0, 0, 0, DHCP_SILENT, 0, false},
	{"decline", 4, 0, 0x0a000104, 0x0a000101, 0, DHCP_SILENT, 0, false},
	{"release", 7, 0x0a000104, 0, 0x0a000101, 0, DHCP_SILENT, 0, false},
	{"an offer", 2, 0, 0, 0, 0, DHCP_SILENT, 0, false},
};

/* requirement: PKT-8 */
static void test_each_message_gets_its_answer(void **state)
{
	struct dhcp_lease l = lease();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = request(rows[i].ciaddr, rows[i].flags);
		enum dhcp_verdict verdict;
		struct dhcp_answer answer;
		struct buf b;

		type(&r, rows[i].type);
		if (rows[i].requested)
			option32(&r, 50, rows[i].requested);
		if (rows[i].server)
			option32(&r, 54, rows[i].server);
		end(&r);
		buf_init(&b, 1500);
		print_message("%s\n", rows[i].name);
		assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
		assert_int_equal(verdict, rows[i].verdict);
		if (verdict == DHCP_ANSWER) {
			assert_type(&b, rows[i].answer);
			assert_int_equal(answer.broadcast, rows[i].broadcast);
		} else {
			assert_int_equal(buf_size(&b), 0);
		}
		buf_deinit(&b);
	}
}

/* requirement: PKT-8 */
static void test_inform_gives_no_lease(void **state)
{
	struct dhcp_lease l = lease();
	struct request r = request(own, 0);
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;
	uint8_t size;

	type(&r, 8);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_memory_equal(buf_data(&b) + 16, "\0\0\0\0", 4);
	assert_null(find(&b, 51, &size));
	assert_non_null(find(&b, 6, &size));
	buf_deinit(&b);
}

/* requirement: PKT-8, PKT-10 */
static void test_another_mac_gets_nothing(void **state)
{
	struct dhcp_lease l = lease();
	struct request r = request(0, 0);
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;

	r.bytes[33] ^= 1;
	type(&r, 1);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_int_equal(verdict, DHCP_REFUSED);
	assert_int_equal(buf_size(&b), 0);
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_relayed_requests_get_nothing(void **state)
{
	struct dhcp_lease l = lease();
	struct request r = request(0, 0);
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct buf b;

	put32(r.bytes + 24, other);
	type(&r, 1);
	end(&r);
	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r.bytes, r.size, &l, &b, &verdict, &answer), 0);
	assert_int_equal(verdict, DHCP_SILENT);
	buf_deinit(&b);
}

static void assert_malformed(const struct request *r)
{
	struct dhcp_lease l = lease();
	enum dhcp_verdict verdict = DHCP_SILENT;
	struct dhcp_answer answer;
	struct buf b;

	buf_init(&b, 1500);
	assert_int_equal(dhcp_serve(r->bytes, r->size, &l, &b, &verdict, &answer), -EBADMSG);
	assert_int_equal(buf_size(&b), 0);
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_malformed_requests_are_refused(void **state)
{
	struct request r = request(0, 0);

	end(&r);
	assert_malformed(&r); /* no type */
	r = request(0, 0);
	type(&r, 9);
	assert_malformed(&r); /* no such type */
	r = request(0, 0);
	type(&r, 1);
	type(&r, 3);
	assert_malformed(&r); /* two types */
	r = request(0, 0);
	type(&r, 1);
	option(&r, 50, "\x0a\x00", 2);
	assert_malformed(&r); /* half an address */
	r = request(0, 0);
	type(&r, 1);
	option(&r, 52, "\x03", 1);
	assert_malformed(&r); /* options hidden elsewhere */
	r = request(0, 0);
	type(&r, 1);
	r.bytes[r.size++] = 12;
	r.bytes[r.size++] = 200;
	assert_malformed(&r); /* longer than the packet */
	r = request(0, 0);
	type(&r, 1);
	r.bytes[0] = 2;
	assert_malformed(&r); /* a reply */
	r = request(0, 0);
	type(&r, 1);
	r.bytes[2] = 16;
	assert_malformed(&r); /* no Ethernet address */
	r = request(0, 0);
	type(&r, 1);
	r.bytes[236] ^= 1;
	assert_malformed(&r); /* BOOTP without the cookie */
}

/* requirement: PKT-8 */
static void test_every_cut_is_survived(void **state)
{
	struct request r = request(own, 0);
	struct dhcp_lease l = lease();

	type(&r, 3);
	option32(&r, 54, server);
	option(&r, 55, "\x01\x03\x06", 3);
	for (size_t size = 0; size < r.size; size++) {
		enum dhcp_verdict verdict;
		struct dhcp_answer answer;
		struct buf b;
		uint8_t *exact = malloc(size ? size : 1);
		int e;

		assert_non_null(exact); /* of the exact size, so that a sanitizer sees an overrun */
		memcpy(exact, r.bytes, size);
		buf_init(&b, 1500);
		e = dhcp_serve(exact, size, &l, &b, &verdict, &answer);
		assert_true(e == 0 || e == -EBADMSG);
		assert_true(size >= OPTIONS_AT + 3 || e == -EBADMSG);
		buf_deinit(&b);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover_is_offered_everything),
		cmocka_unit_test(test_routes_of_a_record),
		cmocka_unit_test(test_what_is_not_known_is_not_told),
		cmocka_unit_test(test_each_message_gets_its_answer),
		cmocka_unit_test(test_inform_gives_no_lease),
		cmocka_unit_test(test_another_mac_gets_nothing),
		cmocka_unit_test(test_relayed_requests_get_nothing),
		cmocka_unit_test(test_malformed_requests_are_refused),
		cmocka_unit_test(test_every_cut_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
