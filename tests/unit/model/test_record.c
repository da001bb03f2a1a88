/* SPDX-License-Identifier: Apache-2.0 */
/* Stored records: every member of every object survives, and any bytes may be decoded. */
#include "model/record.h"

#include <string.h>

#include "base/limits.h"
#include "model/account.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/release.h"
#include "model/subnet.h"
#include "model/token.h"
#include "model/vpc.h"
#include "tests/unit/addr.h"

CLEANUP_DEFINE(struct object *, record_free);

static char text_a[] = "a", text_b[] = "b", text_c[] = "c", text_d[] = "d", text_e[] = "e",
	    text_f[] = "f", text_g[] = "g", text_h[] = "h", text_i[] = "i";

static struct object header(enum kind k, struct tag tags[2])
{
	tags[0] = (struct tag){text_a, text_b};
	tags[1] = (struct tag){text_c, (char *)(uintptr_t) ""};
	return (struct object){
		.kind = k,
		.id = 0x123456789abcdef0,
		.account = 123456789012,
		.revision = 1ULL << 40,
		.serial = 77,
		.created_ms = 1700000000000,
		.n_tags = 2,
		.tags = tags,
	};
}

static struct object *round_trip(const struct object *o)
{
	_cleanup_buf_ struct buf b;
	struct object *copy;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(o, &b);
	assert_ok(buf_error(&b));
	assert_ok(record_decode(o->kind, o->id, buf_data(&b), buf_size(&b), &copy));
	assert_true(record_equal(o, copy));
	assert_int_equal(copy->account, o->account);
	assert_int_equal(copy->revision, o->revision);
	assert_int_equal(copy->serial, o->serial);
	assert_int_equal(copy->created_ms, o->created_ms);
	assert_int_equal(copy->n_tags, 2);
	assert_string_equal(copy->tags[0].key, "a");
	assert_string_equal(copy->tags[0].value, "b");
	assert_string_equal(copy->tags[1].key, "c");
	assert_string_equal(copy->tags[1].value, "");
	return copy;
}

/* requirement: MAP-1 */
static void test_interface(void **state)
{
	struct private_addr addrs[] = {
		{.addr = addr_of("10.0.0.4"), .revision = 9, .arriving = true, .at = 3},
		{.addr = addr_of("fd00::4")}};
	struct tag tags[2];
	struct interface i = {
		.o = header(KIND_INTERFACE, tags),
		.subnet = 1,
		.vpc = UINT64_MAX,
		.vni = 0xEFFFFF,
		.mac = {{2, 3, 4, 5, 6, 7}},
		.n_addrs = 2,
		.addrs = addrs,
		.description = text_d,
		.source_dest_check = true,
		.shared = true,
		.attachment = {.id = 0xabc,
			       .instance = 0xdef,
			       .device_index = 3,
			       .state = ATTACHMENT_DETACHING,
			       .attached_ms = 123,
			       .wait_revision = 456,
			       .delete_on_termination = true,
			       .plugged = true,
			       .lost = true,
			       .host = 12},
		.n_others = 1,
		.others = (struct attachment[]){{.id = 1,
						 .instance = 2,
						 .device_index = 4,
						 .state = ATTACHMENT_ATTACHED,
						 .attached_ms = 5,
						 .wait_revision = 6,
						 .delete_on_termination = true,
						 .plugged = true,
						 .lost = true,
						 .host = 7}},
	};
	_cleanup_(record_free_cleanup) struct object *o = round_trip(&i.o);
	const struct interface *c = (const struct interface *)o;

	assert_int_equal(c->subnet, 1);
	assert_int_equal(c->vpc, UINT64_MAX);
	assert_int_equal(c->vni, 0xEFFFFF);
	assert_true(mac_equal(&c->mac, &i.mac));
	assert_int_equal(c->n_addrs, 2);
	assert_true(ipaddr_equal(&c->addrs[0].addr, &addrs[0].addr));
	assert_int_equal(c->addrs[0].revision, 9);
	assert_true(ipaddr_equal(&c->addrs[1].addr, &addrs[1].addr));
	assert_string_equal(c->description, "d");
	assert_true(c->source_dest_check);
	assert_true(c->shared);
	assert_int_equal(c->attachment.host, 12);
	assert_true(c->attachment.plugged);
	assert_true(c->attachment.lost);
	assert_int_equal(c->attachment.id, 0xabc);
	assert_int_equal(c->attachment.instance, 0xdef);
	assert_int_equal(c->attachment.device_index, 3);
	assert_int_equal(c->attachment.state, ATTACHMENT_DETACHING);
	assert_int_equal(c->attachment.attached_ms, 123);
	assert_int_equal(c->attachment.wait_revision, 456);
	assert_true(c->attachment.delete_on_termination);
	assert_int_equal(c->n_others, 1);
	assert_int_equal(c->others[0].id, 1);
	assert_int_equal(c->others[0].instance, 2);
	assert_int_equal(c->others[0].device_index, 4);
	assert_int_equal(c->others[0].state, ATTACHMENT_ATTACHED);
	assert_int_equal(c->others[0].attached_ms, 5);
	assert_int_equal(c->others[0].wait_revision, 6);
	assert_true(c->others[0].delete_on_termination);
	assert_true(c->others[0].plugged);
	assert_true(c->others[0].lost);
	assert_int_equal(c->others[0].host, 7);
}

static void test_instance(void **state)
{
	struct tag tags[2];
	struct instance n = {
		.o = header(KIND_INSTANCE, tags),
		.reservation = 1,
		.launch_index = 2,
		.subnet = 3,
		.vpc = 4,
		.host = 5,
		.state = INSTANCE_STOPPED,
		.generation = 6,
		.wait_revision = 7,
		.launched_ms = 8,
		.terminated_ms = 9,
		.private_addr = addr_of("10.1.2.3"),
		.image = text_a,
		.type = text_b,
		.driver = text_c,
		.zone = text_d,
		.key_name = text_e,
		.user_data = text_f,
		.client_token = text_g,
		.reason_code = text_h,
		.reason = text_i,
		.disable_api_termination = true,
		.disable_api_stop = true,
		.terminate_on_shutdown = true,
	};
	_cleanup_(record_free_cleanup) struct object *o = round_trip(&n.o);
	const struct instance *c = (const struct instance *)o;

	assert_int_equal(c->reservation, 1);
	assert_int_equal(c->launch_index, 2);
	assert_int_equal(c->subnet, 3);
	assert_int_equal(c->vpc, 4);
	assert_int_equal(c->host, 5);
	assert_int_equal(c->state, INSTANCE_STOPPED);
	assert_int_equal(c->generation, 6);
	assert_int_equal(c->wait_revision, 7);
	assert_int_equal(c->launched_ms, 8);
	assert_int_equal(c->terminated_ms, 9);
	assert_true(ipaddr_equal(&c->private_addr, &n.private_addr));
	assert_string_equal(c->image, "a");
	assert_string_equal(c->type, "b");
	assert_string_equal(c->driver, "c");
	assert_string_equal(c->zone, "d");
	assert_string_equal(c->key_name, "e");
	assert_string_equal(c->user_data, "f");
	assert_string_equal(c->client_token, "g");
	assert_string_equal(c->reason_code, "h");
	assert_string_equal(c->reason, "i");
	assert_true(c->disable_api_termination && c->disable_api_stop && c->terminate_on_shutdown);
}

static void test_host(void **state)
{
	struct tag tags[2];
	struct ipaddr v6 = addr_of("fd56:6961::");
	struct host h = {
		.o = header(KIND_HOST, tags),
		.name = text_a,
		.zone = text_b,
		.number = 3,
		.place = {1, 2, 3, 4},
		.locators = {prefix_make(&v6, 64), prefix_make(&v6, 56), addr_of("192.0.2.1"),
			     addr_of("fd00::1")},
		.can = {0x1e, 9000, true, true, true, text_c, text_d, 55, text_e,
			.carries_nothing = true, .hands_over = true},
		.drained = true,
	};
	_cleanup_(record_free_cleanup) struct object *o = round_trip(&h.o);
	const struct host *c = (const struct host *)o;

	assert_string_equal(c->name, "a");
	assert_string_equal(c->zone, "b");
	assert_int_equal(c->number, 3);
	assert_memory_equal(&c->place, &h.place, sizeof(h.place));
	assert_memory_equal(&c->locators, &h.locators, sizeof(h.locators));
	assert_int_equal(c->can.formats, 0x1e);
	assert_int_equal(c->can.substrate_mtu, 9000);
	assert_true(c->can.tcx && c->can.tap_uso);
	assert_string_equal(c->can.kernel, "c");
	assert_string_equal(c->can.refused, "d");
	assert_int_equal(c->can.probed_ms, 55);
	assert_string_equal(c->can.error, "e");
	assert_true(c->can.carries_nothing);
	assert_true(c->can.hands_over);
	assert_true(c->drained);
}

static void test_vpc_and_subnet(void **state)
{
	struct cidr_block blocks[] = {{.prefix = prefix_v4(0x0a000000, 16), .association = 5},
				      {.prefix = prefix_v4(0, 0), .association = 6}};
	struct cidr_block blocks6[] = {
		{.prefix = {{{0xfd}}, 56}, .association = 7, .from_pool = true}};
	struct tag tags[2];
	struct vpc v = {.o = header(KIND_VPC, tags),
			.vni = 1,
			.mtu = 1460,
			.n_blocks = 2,
			.blocks = blocks,
			.n_blocks6 = 1,
			.blocks6 = blocks6,
			.tenancy = text_a,
			.dns_support = true,
			.dns_hostnames = true,
			.usage_metrics = true,
			.environment = text_b};
	struct subnet s = {.o = header(KIND_SUBNET, tags),
			   .vpc = 9,
			   .vni = 1,
			   .prefix = prefix_v4(0x0a000100, 24),
			   .zone = text_b,
			   .map_public_ip = true,
			   .prefix6 = {{{0xfd}}, 64},
			   .association6 = 8,
			   .assign_ipv6 = true};
	_cleanup_(record_free_cleanup) struct object *ov = round_trip(&v.o);
	_cleanup_(record_free_cleanup) struct object *os = round_trip(&s.o);
	const struct vpc *cv = (const struct vpc *)ov;
	const struct subnet *cs = (const struct subnet *)os;

	assert_int_equal(cv->vni, 1);
	assert_int_equal(cv->mtu, 1460);
	assert_int_equal(cv->n_blocks, 2);
	assert_true(prefix_equal(&cv->blocks[0].prefix, &blocks[0].prefix));
	assert_int_equal(cv->blocks[1].association, 6);
	assert_int_equal(cv->n_blocks6, 1);
	assert_true(prefix_equal(&cv->blocks6[0].prefix, &blocks6[0].prefix));
	assert_true(cv->blocks6[0].from_pool && cv->blocks6[0].association == 7);
	assert_string_equal(cv->tenancy, "a");
	assert_true(cv->dns_support && cv->dns_hostnames && cv->usage_metrics);
	assert_int_equal(cs->vpc, 9);
	assert_int_equal(cs->vni, 1);
	assert_true(prefix_equal(&cs->prefix, &s.prefix));
	assert_string_equal(cs->zone, "b");
	assert_true(cs->map_public_ip && cs->assign_ipv6);
	assert_true(prefix_equal(&cs->prefix6, &s.prefix6));
	assert_int_equal(cs->association6, 8);
}

static void test_the_others(void **state)
{
	uint64_t results[] = {1, UINT64_MAX};
	struct tag tags[2];
	struct account a = {.o = header(KIND_ACCOUNT, tags), .name = text_a};
	struct key k = {.o = header(KIND_KEY, tags), .access_key_id = text_b, .secret = text_c};
	struct token t = {.o = header(KIND_TOKEN, tags),
			  .operation = text_d,
			  .token = text_e,
			  .digest = {1, [15] = 2},
			  .expires_ms = 3,
			  .result_kind = KIND_INSTANCE,
			  .n_results = 2,
			  .results = results};
	struct counters n = {.o = header(KIND_COUNTERS, tags), .last_vni = 4, .last_host = 5};
	struct release r = {.o = header(KIND_RELEASE, tags),
			    .vni = 6,
			    .addr = addr_of("10.0.0.9"),
			    .subnet = 7,
			    .host = 8};
	_cleanup_(record_free_cleanup) struct object *oa = round_trip(&a.o);
	_cleanup_(record_free_cleanup) struct object *ok = round_trip(&k.o);
	_cleanup_(record_free_cleanup) struct object *ot = round_trip(&t.o);
	_cleanup_(record_free_cleanup) struct object *on = round_trip(&n.o);
	_cleanup_(record_free_cleanup) struct object * or = round_trip(&r.o);
	const struct token *ct = (const struct token *)ot;
	const struct release *cr = (const struct release *) or ;

	assert_string_equal(((struct account *)oa)->name, "a");
	assert_string_equal(((struct key *)ok)->access_key_id, "b");
	assert_string_equal(((struct key *)ok)->secret, "c");
	assert_string_equal(ct->operation, "d");
	assert_string_equal(ct->token, "e");
	assert_memory_equal(ct->digest, t.digest, sizeof(t.digest));
	assert_int_equal(ct->expires_ms, 3);
	assert_int_equal(ct->result_kind, KIND_INSTANCE);
	assert_int_equal(ct->n_results, 2);
	assert_memory_equal(ct->results, results, sizeof(results));
	assert_int_equal(((struct counters *)on)->last_vni, 4);
	assert_int_equal(((struct counters *)on)->last_host, 5);
	assert_int_equal(cr->vni, 6);
	assert_true(ipaddr_equal(&cr->addr, &r.addr));
	assert_int_equal(cr->subnet, 7);
	assert_int_equal(cr->host, 8);
}

static void check_tags_ascend(const struct record *r)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		assert_true(!i || r->fields[i].tag > r->fields[i - 1].tag);
		if (r->fields[i].element)
			check_tags_ascend(r->fields[i].element);
	}
}

static void test_tags_of_fields_ascend(void **state)
{
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++)
		if (record_of(k))
			check_tags_ascend(record_of(k));
	assert_null(record_of(KIND_NONE));
	assert_null(record_of(KIND_MAX));
}

/* A record of a newer program, with fields that this one does not know, before, between and
 * behind. */
static void test_unknown_fields_are_skipped(void **state)
{
	const uint8_t data[] = {1, 1, 1, 5, 9, 2, 0xff, 0xff, 10, 1, 'n', 200, 3, 0, 0, 0};
	_cleanup_(record_free_cleanup) struct object *o = NULL;

	assert_ok(record_decode(KIND_ACCOUNT, 1, data, sizeof(data), &o));
	assert_int_equal(o->account, 5);
	assert_string_equal(((struct account *)o)->name, "n");
}

static void test_malformed_records_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t size;
		uint8_t data[24];
	} cases[] = {
		{"nothing", 0, {0}},
		{"another format", 1, {2}},
		{"no size", 2, {1, 10}},
		{"size beyond the end", 3, {1, 10, 9}},
		{"endless size", 12, {1, 10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
		{"the same field twice", 7, {1, 10, 1, 'a', 10, 1, 'b'}},
		{"fields out of order", 7, {1, 10, 1, 'a', 1, 1, 5}},
		{"NUL in a string", 5, {1, 10, 2, 'a', 0}},
		{"number too long for its field", 5, {1, 1, 2, 5, 5}},
		{"tag without key", 4, {1, 5, 1, 0}},
		{"element beyond the array", 4, {1, 5, 1, 9}},
	};
	struct object *o = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = record_decode(KIND_ACCOUNT, 1, cases[i].data, cases[i].size, &o);

		if (r != -EBADMSG)
			fail_msg("%s: %d", cases[i].what, r);
		assert_null(o);
	}
	assert_error(record_decode(KIND_MAX, 1, "\1", 1, &o), EBADMSG);
	/* an attachment state that does not exist; a prefix with bits behind its length */
	assert_error(record_decode(KIND_INTERFACE, 1, "\1\26\1\11", 4, &o), EBADMSG);
	assert_error(record_decode(KIND_SUBNET, 1, "\1\14\21xxxxxxxxxxxxxxxx\10", 20, &o), EBADMSG);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*seed >> 33);
}

/* Changed bytes decode to something that encodes again, or are refused; sanitizers watch. */
static void test_mutated_records(void **state)
{
	struct private_addr addrs[] = {{.addr = addr_of("10.0.0.4"), .revision = 9},
				       {.addr = addr_of("10.0.0.5")}};
	struct tag tags[2];
	struct interface i = {.o = header(KIND_INTERFACE, tags),
			      .vni = 3,
			      .n_addrs = 2,
			      .addrs = addrs,
			      .description = text_d,
			      .attachment.host = 1};
	_cleanup_buf_ struct buf b;
	uint64_t seed = 5;
	size_t accepted = 0, n = 20000;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(&i.o, &b);
	for (size_t k = 0; k < n; k++) {
		_cleanup_(record_free_cleanup) struct object *o = NULL;
		uint8_t bytes[512];
		size_t size = buf_size(&b) - next_random(&seed) % 3;

		memcpy(bytes, buf_data(&b), buf_size(&b));
		for (uint32_t c = 1 + next_random(&seed) % 3; c; c--)
			bytes[next_random(&seed) % size] = (uint8_t)next_random(&seed);
		if (record_decode(KIND_INTERFACE, 1, bytes, size, &o))
			continue;
		_cleanup_buf_ struct buf again;
		_cleanup_(record_free_cleanup) struct object *copy = NULL;

		buf_init(&again, LIMIT_MODEL_RECORD_SIZE);
		record_encode(o, &again);
		assert_ok(record_decode(KIND_INTERFACE, 1, buf_data(&again), buf_size(&again),
					&copy));
		assert_true(record_equal(o, copy));
		accepted++;
	}
	assert_true(accepted > n / 50 && accepted < n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_vpc_and_subnet),
		cmocka_unit_test(test_the_others),
		cmocka_unit_test(test_tags_of_fields_ascend),
		cmocka_unit_test(test_unknown_fields_are_skipped),
		cmocka_unit_test(test_malformed_records_are_refused),
		cmocka_unit_test(test_mutated_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
