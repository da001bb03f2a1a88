/* SPDX-License-Identifier: Apache-2.0 */
/* DNS queries as tables of what they are about, and the answers byte by byte. */
#include "agent/dns.h"

#include <string.h>

#include "tests/unit/test.h"

enum { A = 1, PTR = 12, AAAA = 28, MX = 15, ANY = 255, IN = 1, CHAOS = 3 };

struct query {
	uint8_t bytes[600];
	size_t size;
};

static void put16(struct query *q, unsigned int v)
{
	q->bytes[q->size++] = (uint8_t)(v >> 8);
	q->bytes[q->size++] = (uint8_t)v;
}

static void put_name(struct query *q, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		q->bytes[q->size++] = (uint8_t)length;
		memcpy(q->bytes + q->size, name, length);
		q->size += length;
		name += length + (name[length] == '.');
	}
	q->bytes[q->size++] = 0;
}

static struct query query(const char *name, unsigned int type, unsigned int class)
{
	struct query q = {.size = 0};

	put16(&q, 0xabcd);
	put16(&q, 0x0100);
	put16(&q, 1);
	put16(&q, 0);
	put16(&q, 0);
	put16(&q, 0);
	put_name(&q, name);
	put16(&q, type);
	put16(&q, class);
	return q;
}

static const struct row {
	const char *name;
	unsigned int type, class;
	enum dns_kind kind;
	enum dns_rcode rcode;
	const char *label;
	bool in_domain;
} rows[] = {
	{"ip-10-0-0-4.ec2.internal", A, IN, DNS_NAME, 0, "ip-10-0-0-4", true},
	{"IP-10-0-0-4.EC2.Internal", A, IN, DNS_NAME, 0, "ip-10-0-0-4", true},
	{"ip-10-0-0-4", A, IN, DNS_NAME, 0, "ip-10-0-0-4", false},
	{"i-0123456789abcdef0", AAAA, IN, DNS_NAME, 0, "i-0123456789abcdef0", false},
	{"4.0.0.10.in-addr.arpa", PTR, IN, DNS_ADDRESS, 0, NULL, false},
	{"4.0.0.10.IN-ADDR.ARPA", PTR, IN, DNS_ADDRESS, 0, NULL, false},
	{"www.example.com", A, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"a.b.ec2.internal", A, IN, DNS_OTHER, DNS_NXDOMAIN, NULL, true},
	{"ec2.internal", A, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"notec2.internal", A, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"0.0.10.in-addr.arpa", PTR, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"256.0.0.10.in-addr.arpa", PTR, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"x.4.0.0.10.in-addr.arpa", PTR, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"ip-10-0-0-4", A, CHAOS, DNS_OTHER, DNS_REFUSED, NULL, false},
	{"", A, IN, DNS_OTHER, DNS_REFUSED, NULL, false},
};

/* requirement: PKT-8 */
static void test_names_are_told_apart(void **state)
{
	const struct ipaddr expected = ipaddr_from_v4(0x0a000004);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query q = query(rows[i].name, rows[i].type, rows[i].class);
		struct dns_question d;

		print_message("%s\n", rows[i].name);
		assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
		assert_int_equal(d.kind, rows[i].kind);
		assert_int_equal(d.id, 0xabcd);
		assert_int_equal(d.type, rows[i].type);
		if (d.kind == DNS_OTHER)
			assert_int_equal(d.rcode, rows[i].rcode);
		if (d.kind == DNS_NAME)
			assert_string_equal(d.label, rows[i].label);
		if (d.kind == DNS_ADDRESS)
			assert_true(ipaddr_equal(&d.addr, &expected));
		assert_int_equal(d.in_domain, rows[i].in_domain);
	}
}

/* requirement: PKT-8 */
static void test_a_name_is_answered_with_its_address(void **state)
{
	struct query q = query("Ip-10-0-0-4.ec2.internal", A, IN);
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 4};
	const struct ipaddr addr = ipaddr_from_v4(0x0a000004);
	struct dns_question d;
	struct buf b;

	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	buf_init(&b, 600);
	dns_answer(&b, &d, DNS_NOERROR, &addr, NULL);
	assert_int_equal(buf_size(&b), q.size + sizeof(record));
	assert_memory_equal(buf_data(&b), "\xab\xcd\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00", 12);
	assert_memory_equal(buf_data(&b) + 12, q.bytes + 12, q.size - 12); /* its own spelling */
	assert_memory_equal(buf_data(&b) + q.size, record, sizeof(record));
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_a_known_name_without_ipv6_gets_an_empty_answer(void **state)
{
	struct query q = query("ip-10-0-0-4", AAAA, IN);
	const struct ipaddr addr = ipaddr_from_v4(0x0a000004);
	struct dns_question d;
	struct buf b;

	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	buf_init(&b, 600);
	dns_answer(&b, &d, DNS_NOERROR, &addr, NULL);
	assert_int_equal(buf_size(&b), q.size);
	assert_memory_equal(buf_data(&b) + 2, "\x85\x00\x00\x01\x00\x00", 6);
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_an_address_is_answered_with_its_name(void **state)
{
	struct query q = query("4.0.0.10.in-addr.arpa", PTR, IN);
	static const uint8_t record[] = "\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x3c\x00\x1a"
					"\x0bip-10-0-0-4\x03"
					"ec2\x08internal";
	struct dns_question d;
	struct buf b;

	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	buf_init(&b, 600);
	dns_answer(&b, &d, DNS_NOERROR, NULL, "ip-10-0-0-4.ec2.internal");
	assert_int_equal(buf_size(&b), q.size + sizeof(record)); /* the root label is the NUL */
	assert_memory_equal(buf_data(&b) + q.size, record, sizeof(record));
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_refusals_repeat_the_question_only(void **state)
{
	struct query q = query("www.example.com", A, IN);
	const struct ipaddr addr = ipaddr_from_v4(0x0a000004);
	struct dns_question d;
	struct buf b;

	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	buf_init(&b, 600);
	dns_answer(&b, &d, d.rcode, &addr, NULL);
	assert_int_equal(buf_size(&b), q.size);
	assert_memory_equal(buf_data(&b) + 2, "\x81\x05\x00\x01\x00\x00", 6);
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_edns_is_ignored(void **state)
{
	struct query q = query("ip-10-0-0-4", A, IN);
	const size_t plain = q.size;
	const struct ipaddr addr = ipaddr_from_v4(0x0a000004);
	struct dns_question d;
	struct buf b;

	q.bytes[11] = 1; /* one additional record: OPT, 4096 bytes */
	memcpy(q.bytes + q.size, "\x00\x00\x29\x10\x00\x00\x00\x80\x00\x00\x00", 11);
	q.size += 11;
	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	assert_int_equal(d.kind, DNS_NAME);
	buf_init(&b, 600);
	dns_answer(&b, &d, DNS_NOERROR, &addr, NULL);
	assert_int_equal(buf_size(&b), plain + 16);
	assert_memory_equal(buf_data(&b) + 8, "\0\0\0\0", 4); /* no OPT comes back */
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_what_is_no_query_gets_no_answer(void **state)
{
	struct query q = query("ip-10-0-0-4", A, IN);
	struct dns_question d;

	q.bytes[2] |= 0x80; /* a response: answering would be a loop */
	assert_int_equal(dns_parse(q.bytes, q.size, "", &d), -EBADMSG);
	q.bytes[2] &= 0x7f;
	for (size_t size = 0; size < 12; size++)
		assert_int_equal(dns_parse(q.bytes, size, "", &d), -EBADMSG);
}

static void assert_answer_is(const struct query *q, enum dns_rcode rcode)
{
	struct dns_question d;
	struct buf b;

	assert_int_equal(dns_parse(q->bytes, q->size, "ec2.internal", &d), 0);
	assert_int_equal(d.kind, DNS_OTHER);
	assert_int_equal(d.rcode, rcode);
	buf_init(&b, 600);
	dns_answer(&b, &d, d.rcode, NULL, NULL);
	assert_int_equal(buf_data(&b)[3] & 0x0f, rcode);
	assert_int_equal(buf_error(&b), 0);
	buf_deinit(&b);
}

/* requirement: PKT-8 */
static void test_malformed_queries_get_an_error(void **state)
{
	struct query q = query("ip-10-0-0-4", A, IN);

	q.bytes[5] = 2;
	assert_answer_is(&q, DNS_FORMERR); /* two questions */
	q = query("ip-10-0-0-4", A, IN);
	q.bytes[2] = 0x20;
	assert_answer_is(&q, DNS_NOTIMP); /* another opcode */
	q = query("ip-10-0-0-4", A, IN);
	q.bytes[12] = 0xc0;
	q.bytes[13] = 12;
	assert_answer_is(&q, DNS_FORMERR); /* a name that points at itself */
	q = query("ip-10-0-0-4", A, IN);
	q.bytes[12] = 64;
	assert_answer_is(&q, DNS_FORMERR); /* a label of 64 */
	q = query("ip-10-0-0-4", A, IN);
	q.bytes[13] = '.';
	assert_answer_is(&q, DNS_REFUSED); /* a dot inside a label */
	for (size_t size = 12; size < q.size; size++) {
		struct query cut = query("ip-10-0-0-4", A, IN);

		cut.size = size;
		assert_answer_is(&cut, DNS_FORMERR);
	}
}

/* requirement: PKT-8 */
static void test_the_longest_names_fit(void **state)
{
	char name[260] = "";
	struct query q;
	struct dns_question d;

	/* 253 characters are 255 bytes on the wire: the most that RFC 1035 allows. */
	memset(name, 'a', 253);
	for (size_t i = 63; i < 253; i += 64)
		name[i] = '.';
	q = query(name, A, IN);
	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	assert_int_equal(d.size, DNS_NAME_SIZE + 4);
	assert_int_equal(d.rcode, DNS_REFUSED);
	strcat(name, "a");
	q = query(name, A, IN);
	assert_int_equal(dns_parse(q.bytes, q.size, "ec2.internal", &d), 0);
	assert_int_equal(d.rcode, DNS_FORMERR);
	assert_int_equal(d.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_told_apart),
		cmocka_unit_test(test_a_name_is_answered_with_its_address),
		cmocka_unit_test(test_a_known_name_without_ipv6_gets_an_empty_answer),
		cmocka_unit_test(test_an_address_is_answered_with_its_name),
		cmocka_unit_test(test_refusals_repeat_the_question_only),
		cmocka_unit_test(test_edns_is_ignored),
		cmocka_unit_test(test_what_is_no_query_gets_no_answer),
		cmocka_unit_test(test_malformed_queries_get_an_error),
		cmocka_unit_test(test_the_longest_names_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
