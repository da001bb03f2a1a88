/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces: addresses asked for and chosen, attachments on running and stopped instances, who
 * sees them. */
#include "model/interface.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/mapping.h"
#include "model/release.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int create(const struct interface_create_args *args, const struct interface **ret)
{
	return cluster_end(&c, interface_create(cluster_tx(&c), &c.me, args, ret, &c.refusal));
}

static const char *addr_text(const struct interface *i, size_t n)
{
	static char text[IPADDR_TEXT_SIZE];

	return ipaddr_text(&i->addrs[n].addr, text);
}

/* requirement: OPS-1 */
static void test_addresses_asked_for(void **state)
{
	static const struct {
		const char *addr;
		int result;
	} rows[] = {
		{"10.0.0.4", 0},
		{"10.0.0.4", MODEL_E_ADDRESS_IN_USE},
		{"10.0.0.254", 0},
		{"10.0.0.0", MODEL_E_ADDRESS_RESERVED},
		{"10.0.0.1", MODEL_E_ADDRESS_RESERVED},
		{"10.0.0.2", MODEL_E_ADDRESS_RESERVED},
		{"10.0.0.3", MODEL_E_ADDRESS_RESERVED},
		{"10.0.0.255", MODEL_E_ADDRESS_RESERVED},
		{"10.0.1.4", MODEL_E_ADDRESS_OUTSIDE},
		{"10.0.0", MODEL_E_VALUE},
		{"fd00::1", MODEL_E_VALUE},
		{"", MODEL_E_VALUE},
	};
	char id[ID_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (cluster_make_interface(&c, c.subnet, rows[i].addr, id) != rows[i].result)
			fail_msg("%s: %s", rows[i].addr, c.refusal.message);
}

static void test_several_addresses(void **state)
{
	struct private_addr_args addrs[] = {{"10.0.0.10", false}, {"10.0.0.11", true}};
	struct interface_create_args args = {
		.subnet_id = c.subnet,
		.addrs = addrs,
		.n_addrs = 2,
		.secondary_count = 2,
	};
	const struct interface *i;

	assert_ok(create(&args, &i));
	assert_int_equal(i->n_addrs, 4);
	assert_string_equal(addr_text(i, 0), "10.0.0.11");
	assert_string_equal(addr_text(i, 1), "10.0.0.10");
	assert_string_equal(addr_text(i, 2), "10.0.0.4");
	assert_string_equal(addr_text(i, 3), "10.0.0.5");
	addrs[0] = (struct private_addr_args){"10.0.0.20", true};
	addrs[1] = (struct private_addr_args){"10.0.0.21", true};
	assert_int_equal(create(&args, &i), MODEL_E_COMBINATION);
	addrs[1] = (struct private_addr_args){"10.0.0.20", false};
	assert_int_equal(create(&args, &i), MODEL_E_ADDRESS_IN_USE);
	args = (struct interface_create_args){.subnet_id = c.subnet, .secondary_count = UINT32_MAX};
	assert_int_equal(create(&args, &i), MODEL_E_ADDRESS_LIMIT);
	args.secondary_count = LIMIT_MODEL_INTERFACE_ADDRS;
	assert_int_equal(create(&args, &i), MODEL_E_ADDRESS_LIMIT);
	args.secondary_count = LIMIT_MODEL_INTERFACE_ADDRS - 1;
	assert_ok(create(&args, &i));
	assert_int_equal(i->n_addrs, LIMIT_MODEL_INTERFACE_ADDRS);
}

static void test_an_address_given_back_is_the_last_to_be_given_away(void **state)
{
	char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];

	assert_ok(cluster_make_interface(&c, c.subnet, NULL, first));
	assert_string_equal(addr_text(cluster_interface(&c, first), 0), "10.0.0.4");
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, first, &c.refusal)));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, second));
	assert_string_equal(addr_text(cluster_interface(&c, second), 0), "10.0.0.5");
}

static void test_macs_are_local_and_different(void **state)
{
	char id[ID_TEXT_SIZE];

	for (int n = 0; n < 50; n++) {
		const struct interface *i;

		assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
		i = cluster_interface(&c, id);
		assert_int_equal(i->mac.b[0], 0x02);
		assert_ptr_equal(interface_by_mac(c.m, &i->mac), i);
	}
}

/* requirement: OPS-1 */
static void test_a_token_makes_one_interface(void **state)
{
	struct interface_create_args args = {
		.subnet_id = c.subnet,
		.token = {.token = "once", .digest = {1}},
	};
	const struct interface *i;
	char id[ID_TEXT_SIZE];
	uint64_t first;

	assert_ok(create(&args, &i));
	first = i->o.id;
	assert_ok(create(&args, &i));
	assert_true(i->o.id == first);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 1);
	args.token.digest[0] = 2;
	assert_int_equal(create(&args, &i), MODEL_E_TOKEN_MISMATCH);
	args.token.digest[0] = 1;
	/* another's token is another token */
	assert_int_equal(cluster_end(&c, interface_create(cluster_tx(&c), &c.stranger, &args, &i,
							  &c.refusal)),
			 MODEL_E_SUBNET_NOT_FOUND);
	assert_ok(
		cluster_end(&c, interface_delete(cluster_tx(&c), &c.me,
						 id_text(KIND_INTERFACE, first, id), &c.refusal)));
	assert_int_equal(create(&args, &i), MODEL_E_INTERFACE_NOT_FOUND);
	c.now_ms += LIMIT_MODEL_TOKEN_MS;
	assert_ok(create(&args, &i));
	assert_true(i->o.id != first);
	assert_int_equal(model_count(c.m, KIND_TOKEN), 1);
	args.token.token = "";
	assert_int_equal(create(&args, &i), MODEL_E_VALUE);
}

static void test_tokens_are_forgotten(void **state)
{
	struct interface_create_args args = {.subnet_id = c.subnet, .token = {.token = "a"}};
	const struct interface *i;

	assert_ok(create(&args, &i));
	c.now_ms += LIMIT_MODEL_TOKEN_MS - 1;
	args.token.token = "b";
	assert_ok(create(&args, &i));
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 100)));
	assert_int_equal(model_count(c.m, KIND_TOKEN), 2);
	c.now_ms += 1;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 100)));
	assert_int_equal(model_count(c.m, KIND_TOKEN), 1);
}

static int assign(const char *id, const char *addr, uint32_t count, bool reassign)
{
	struct interface_assign_args args = {
		.interface_id = id,
		.addrs = &addr,
		.n_addrs = addr ? 1 : 0,
		.count = count,
		.allow_reassignment = reassign,
	};
	const struct interface *i;
	size_t n;

	return cluster_end(&c, interface_assign(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal));
}

static void test_assign(void **state)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	struct ipaddr moved;

	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.10", a));
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.20", b));
	assert_ok(assign(a, "10.0.0.11", 0, false));
	assert_ok(assign(a, "10.0.0.11", 0, false)); /* it has it already */
	assert_int_equal(cluster_interface(&c, a)->n_addrs, 2);
	assert_ok(assign(a, NULL, 3, false));
	assert_int_equal(cluster_interface(&c, a)->n_addrs, 5);
	assert_int_equal(assign(b, "10.0.0.11", 0, false), MODEL_E_ADDRESS_ASSIGNED);
	assert_int_equal(assign(b, "10.0.0.10", 0, true), MODEL_E_ADDRESS_PRIMARY);
	assert_ok(assign(b, "10.0.0.11", 0, true));
	assert_ok(ipaddr_parse("10.0.0.11", &moved));
	assert_ptr_equal(interface_by_addr(c.m, cluster_interface(&c, b)->vni, &moved),
			 cluster_interface(&c, b));
	assert_int_equal(cluster_interface(&c, a)->n_addrs, 4);
	assert_int_equal(assign(b, NULL, 0, false), MODEL_E_COMBINATION);
	assert_int_equal(assign(b, "10.0.0.30", 1, false), MODEL_E_COMBINATION);
	assert_int_equal(assign(b, NULL, 49, false), MODEL_E_ADDRESS_LIMIT);
	assert_ok(assign(b, NULL, 48, false));
}

static void test_unassign(void **state)
{
	char id[ID_TEXT_SIZE];
	const char *secondary = "10.0.0.11", *primary = "10.0.0.10", *other = "10.0.0.12";

	assert_ok(cluster_make_interface(&c, c.subnet, primary, id));
	assert_ok(assign(id, secondary, 0, false));
	assert_int_equal(cluster_end(&c, interface_unassign(cluster_tx(&c), &c.me, id, &primary, 1,
							    &c.refusal)),
			 MODEL_E_ADDRESS_PRIMARY);
	assert_int_equal(cluster_end(&c, interface_unassign(cluster_tx(&c), &c.me, id, &other, 1,
							    &c.refusal)),
			 MODEL_E_ADDRESS_NOT_ASSIGNED);
	assert_ok(cluster_end(
		&c, interface_unassign(cluster_tx(&c), &c.me, id, &secondary, 1, &c.refusal)));
	assert_int_equal(cluster_interface(&c, id)->n_addrs, 1);
	assert_int_equal(
		cluster_end(&c, interface_unassign(cluster_tx(&c), &c.me, id, NULL, 0, &c.refusal)),
		MODEL_E_MISSING);
}

static int attach(const char *interface, const char *instance, uint32_t index)
{
	struct interface_attach_args args = {interface, instance, index, false};
	const struct attachment *a;

	return cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a, &c.refusal));
}

static int detach(const char *interface)
{
	char id[ID_TEXT_SIZE];

	id_text_prefixed(ID_PREFIX_ATTACHMENT, cluster_interface(&c, interface)->attachment.id, id);
	return cluster_end(&c, interface_detach(cluster_tx(&c), &c.me, id, false, &c.refusal));
}

static void stop(const char *id)
{
	assert_ok(cluster_transition(&c, instance_stop, id));
	cluster_acknowledge(&c);
}

static enum attachment_state state_of(const char *interface)
{
	return cluster_interface(&c, interface)->attachment.state;
}

/* A running instance gets and loses an interface.  requirement: NIC-2 */
static void test_hot_attach_and_detach(void **state)
{
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE], attachment[ID_TEXT_SIZE];
	const struct mapping *mapping;
	const struct interface *shown;

	assert_ok(cluster_run(&c, c.subnet, n));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, i));
	assert_int_equal(attach(i, n, 1), MODEL_E_INSTANCE_ATTACH_STATE);
	cluster_acknowledge(&c);
	assert_ok(attach(i, n, 1));
	shown = cluster_interface(&c, i);
	assert_true(shown->attachment.plugged);
	assert_int_equal(shown->attachment.host, cluster_instance(&c, n)->host);
	mapping = mapping_find(model_mappings(c.m), shown->vni, &shown->addrs[0].addr);
	assert_int_equal(mapping->host, shown->attachment.host);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(i), ATTACHMENT_ATTACHED);
	assert_ok(detach(i));
	shown = cluster_interface(&c, i);
	mapping = mapping_find(model_mappings(c.m), shown->vni, &shown->addrs[0].addr);
	assert_int_equal(mapping->host, 0); /* nobody is led to it any more */
	assert_int_equal(state_of(i), ATTACHMENT_DETACHING);
	/* a customer's force does not make a silent host speak; an operator's does without it */
	id_text_prefixed(ID_PREFIX_ATTACHMENT, shown->attachment.id, attachment);
	assert_ok(cluster_end(
		&c, interface_detach(cluster_tx(&c), &c.me, attachment, true, &c.refusal)));
	assert_int_equal(state_of(i), ATTACHMENT_DETACHING);
	assert_int_equal(attach(i, n, 1), MODEL_E_INTERFACE_IN_USE);
	assert_ok(cluster_end(
		&c, interface_detach(cluster_tx(&c), &c.admin, attachment, true, &c.refusal)));
	assert_int_equal(state_of(i), ATTACHMENT_NONE);
	assert_ok(attach(i, n, 1));
}

/* The host of a running instance cannot carry it: available again, when the host has let go.
 * requirement: NIC-2 */
static void test_an_attachment_that_fails_ends(void **state)
{
	struct host_failure failure = {.kind = KIND_INTERFACE, .text = "no"};
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE];
	uint32_t host;

	assert_ok(cluster_run(&c, c.subnet, n));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, i));
	cluster_acknowledge(&c);
	assert_ok(attach(i, n, 1));
	host = cluster_interface(&c, i)->attachment.host;
	failure.id = cluster_interface(&c, i)->o.id;
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), host, model_revision(c.m),
						   &failure, 1, &c.refusal)));
	assert_int_equal(state_of(i), ATTACHMENT_DETACHING);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(i), ATTACHMENT_NONE);
	assert_int_equal(cluster_instance(&c, n)->state, INSTANCE_RUNNING);
}

/* What left the network with the acknowledgement is free, whatever its node still does; what comes
 * waits for its node.  requirement: NIC-2 */
static void test_a_detach_waits_for_the_network_and_not_for_the_node(void **state)
{
	struct host_failure pending = {.kind = KIND_INSTANCE};
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE];
	uint32_t host;

	assert_ok(cluster_run(&c, c.subnet, n));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, i));
	cluster_acknowledge(&c);
	pending.id = cluster_instance(&c, n)->o.id;
	assert_ok(attach(i, n, 1));
	host = cluster_interface(&c, i)->attachment.host;
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), host, model_revision(c.m),
						   &pending, 1, &c.refusal)));
	assert_int_equal(state_of(i), ATTACHMENT_ATTACHING);
	cluster_acknowledge(&c);
	assert_ok(detach(i));
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), host, model_revision(c.m),
						   &pending, 1, &c.refusal)));
	assert_int_equal(state_of(i), ATTACHMENT_NONE);
}

/* requirement: MAP-1 */
static void test_attach_and_detach_wait_for_the_host(void **state)
{
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE], second[ID_TEXT_SIZE];

	assert_ok(cluster_run(&c, c.subnet, n));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, i));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, second));
	cluster_acknowledge(&c);
	stop(n);
	assert_int_equal(attach(i, n, 0), MODEL_E_DEVICE_INDEX_IN_USE);
	assert_int_equal(attach(i, n, 99), MODEL_E_ATTACHMENT_LIMIT);
	assert_ok(attach(i, n, 1));
	assert_int_equal(state_of(i), ATTACHMENT_ATTACHING);
	assert_string_equal(interface_status_text(cluster_interface(&c, i)), "attaching");
	assert_int_equal(attach(i, n, 2), MODEL_E_INTERFACE_IN_USE);
	assert_int_equal(attach(second, n, 1), MODEL_E_DEVICE_INDEX_IN_USE);
	assert_int_equal(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, i, &c.refusal)),
			 MODEL_E_INTERFACE_IN_USE);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(i), ATTACHMENT_ATTACHED);
	assert_string_equal(interface_status_text(cluster_interface(&c, i)), "in-use");

	assert_ok(detach(i));
	assert_int_equal(state_of(i), ATTACHMENT_DETACHING);
	assert_int_equal(detach(i), MODEL_E_INTERFACE_STATE);
	assert_int_equal(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, i, &c.refusal)),
			 MODEL_E_INTERFACE_IN_USE);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(i), ATTACHMENT_NONE);
	assert_string_equal(interface_status_text(cluster_interface(&c, i)), "available");
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, i, &c.refusal)));
}

static void test_what_cannot_be_attached_or_detached(void **state)
{
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE], vpc[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE];
	char primary[ID_TEXT_SIZE], unknown[] = "eni-attach-00000000000000009";
	struct subnet_create_args args = {
		.vpc_id = c.vpc, .cidr = "10.0.7.0/24", .zone = "us-east-1b"};
	const struct subnet *s;

	assert_ok(cluster_run(&c, c.subnet, n));
	cluster_acknowledge(&c);
	stop(n);
	object_id_text(&cluster_interface_of(&c, n)->o, primary);
	assert_int_equal(detach(primary), MODEL_E_DEVICE_INDEX_PRIMARY);
	assert_int_equal(cluster_end(&c, interface_detach(cluster_tx(&c), &c.me, unknown, false,
							  &c.refusal)),
			 MODEL_E_ATTACHMENT_NOT_FOUND);
	cluster_make_vpc(&c, "10.0.0.0/16", vpc);
	cluster_make_subnet(&c, vpc, "10.0.0.0/24", subnet);
	assert_ok(cluster_make_interface(&c, subnet, NULL, i));
	assert_int_equal(attach(i, n, 1), MODEL_E_VPC_SUBNET_MISMATCH);
	assert_ok(cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, &s, &c.refusal)));
	object_id_text(&s->o, subnet);
	assert_ok(cluster_make_interface(&c, subnet, NULL, i));
	assert_int_equal(attach(i, n, 1), MODEL_E_ZONE_MISMATCH);
}

static void test_an_attached_interface_may_outlive_its_instance(void **state)
{
	char n[ID_TEXT_SIZE], i[ID_TEXT_SIZE], primary[ID_TEXT_SIZE], attachment[ID_TEXT_SIZE];
	const bool yes = true;
	struct interface_modify_args args = {
		.interface_id = i, .attachment_id = attachment, .delete_on_termination = &yes};

	assert_ok(cluster_run(&c, c.subnet, n));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, i));
	cluster_acknowledge(&c);
	stop(n);
	assert_ok(attach(i, n, 1));
	cluster_acknowledge(&c);
	object_id_text(&cluster_interface_of(&c, n)->o, primary);
	assert_ok(cluster_transition(&c, instance_terminate, n));
	cluster_acknowledge(&c);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 1);
	assert_int_equal(state_of(i), ATTACHMENT_NONE);

	/* and with DeleteOnTermination it does not */
	assert_ok(cluster_run(&c, c.subnet, n));
	cluster_acknowledge(&c);
	stop(n);
	assert_ok(attach(i, n, 1));
	id_text_prefixed(ID_PREFIX_ATTACHMENT, 1, attachment);
	assert_int_equal(
		cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
		MODEL_E_ATTACHMENT_MISMATCH);
	id_text_prefixed(ID_PREFIX_ATTACHMENT, cluster_interface(&c, i)->attachment.id, attachment);
	assert_ok(cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_ok(cluster_transition(&c, instance_terminate, n));
	cluster_acknowledge(&c);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
}

static void test_modify(void **state)
{
	const bool no = false;
	char id[ID_TEXT_SIZE], text[LIMIT_MODEL_TEXT + 2];
	struct interface_modify_args args = {
		.interface_id = id, .description = "web", .source_dest_check = &no};

	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_true(cluster_interface(&c, id)->source_dest_check);
	assert_ok(cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_string_equal(cluster_interface(&c, id)->description, "web");
	assert_false(cluster_interface(&c, id)->source_dest_check);
	args.description = "";
	assert_ok(cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_null(cluster_interface(&c, id)->description);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	args.description = text;
	assert_int_equal(
		cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
		MODEL_E_VALUE);
	args.delete_on_termination = &no;
	args.description = NULL;
	assert_int_equal(
		cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
		MODEL_E_MISSING);
	assert_int_equal(
		cluster_end(&c, interface_modify(cluster_tx(&c), &c.stranger, &args, &c.refusal)),
		MODEL_E_INTERFACE_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses_asked_for),
		TEST(test_several_addresses),
		TEST(test_an_address_given_back_is_the_last_to_be_given_away),
		TEST(test_macs_are_local_and_different),
		TEST(test_a_token_makes_one_interface),
		TEST(test_tokens_are_forgotten),
		TEST(test_assign),
		TEST(test_unassign),
		TEST(test_hot_attach_and_detach),
		TEST(test_an_attachment_that_fails_ends),
		TEST(test_a_detach_waits_for_the_network_and_not_for_the_node),
		TEST(test_attach_and_detach_wait_for_the_host),
		TEST(test_what_cannot_be_attached_or_detached),
		TEST(test_an_attached_interface_may_outlive_its_instance),
		TEST(test_modify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
