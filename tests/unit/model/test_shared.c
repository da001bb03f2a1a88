/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record on several nodes at once: attachments that come and go by themselves, the mapping that
 * names all hosts, hosts that are lost, addresses that leave several nodes.
 */
#include "model/interface.h"

#include <stdio.h>

#include "base/limits.h"
#include "model/instance.h"
#include "model/mapping.h"
#include "model/release.h"
#include "tests/unit/model/cluster.h"

enum { NODES = 3 };

static struct cluster c;
static char nodes[NODES][ID_TEXT_SIZE], record[ID_TEXT_SIZE];
static uint32_t hosts[NODES], vni;
static struct ipaddr addr;

static int share(bool shared)
{
	struct interface_set_args args = {.interface_id = record, .shared = &shared};

	return cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int attach(size_t node)
{
	struct interface_attach_args args = {record, nodes[node], 1, false};
	const struct attachment *a;

	return cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a, &c.refusal));
}

static const struct attachment *attachment_of(size_t node)
{
	uint64_t id;

	assert_ok(id_parse(KIND_INSTANCE, nodes[node], &id));
	return interface_attachment_to(cluster_interface(&c, record), id);
}

static int detach(size_t node)
{
	char id[ID_TEXT_SIZE];

	id_text_prefixed(ID_PREFIX_ATTACHMENT, attachment_of(node)->id, id);
	return cluster_end(&c, interface_detach(cluster_tx(&c), &c.me, id, false, &c.refusal));
}

static void transition(size_t node, cluster_transition_fn fn)
{
	assert_ok(cluster_transition(&c, fn, nodes[node]));
}

/* The hosts in the mapping are those of the nodes in 'bits', in both directions. */
static void assert_spread(unsigned int bits)
{
	const struct mapping *m = mapping_find(model_mappings(c.m), vni, &addr);
	uint32_t n = 0;

	assert_non_null(m);
	for (size_t i = 0; i < NODES; i++) {
		assert_int_equal(mapping_is_at(m, hosts[i]), bits >> i & 1);
		n += bits >> i & 1;
	}
	assert_int_equal(!!m->host, !!bits);
	assert_int_equal(m->hosts ? m->hosts->n : 0, n);
}

static void acknowledge(size_t node)
{
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), hosts[node], model_revision(c.m),
						   NULL, 0, &c.refusal)));
}

static int setup(void **state)
{
	cluster_init_network(&c, NODES);
	for (size_t i = 0; i < NODES; i++) {
		assert_ok(cluster_run_on(&c, i, c.subnet, nodes[i]));
		hosts[i] = c.hosts[i];
	}
	cluster_acknowledge(&c);
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", record));
	vni = cluster_interface(&c, record)->vni;
	addr = ipaddr_from_v4(0x0a000032);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

/* requirement: NIC-4 */
static void test_only_what_is_shared_is_attached_twice(void **state)
{
	const struct mapping *m;

	assert_ok(attach(0));
	assert_int_equal(attach(1), MODEL_E_INTERFACE_IN_USE);
	m = mapping_find(model_mappings(c.m), vni, &addr);
	assert_int_equal(m->host, hosts[0]);
	assert_null(m->hosts);
	assert_ok(share(true));
	assert_spread(1);
	assert_int_equal(attach(0), MODEL_E_INTERFACE_IN_USE);
	assert_ok(attach(1));
	assert_int_equal(share(false), MODEL_E_INTERFACE_IN_USE);
	assert_ok(detach(1));
	cluster_acknowledge(&c);
	assert_ok(share(false));
	assert_null(mapping_find(model_mappings(c.m), vni, &addr)->hosts);
}

/* Each has an id, a device index, a state, a DeleteOnTerminate of its own, and none ends for
 * another. requirement: NIC-1 NIC-4 */
static void test_attachments_live_by_themselves(void **state)
{
	const bool yes = true;
	char id[ID_TEXT_SIZE];
	struct interface_modify_args keep = {
		.interface_id = record, .attachment_id = id, .delete_on_termination = &yes};
	struct interface_attach_args second = {record, nodes[1], 2, false};
	struct instance_modify_args larger = {.instance_id = nodes[1], .type = "m5.xlarge"};
	const struct attachment *a;
	uint64_t revision;

	assert_ok(share(true));
	assert_ok(attach(0));
	transition(1, instance_stop);
	cluster_acknowledge(&c);
	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &larger, &c.refusal)));
	transition(1, instance_start);
	cluster_acknowledge(&c);
	assert_spread(1);
	revision = mapping_find(model_mappings(c.m), vni, &addr)->revision;
	assert_ok(
		cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &second, &a, &c.refusal)));
	assert_spread(3);
	assert_true(mapping_find(model_mappings(c.m), vni, &addr)->revision > revision);
	/* the first node is what it was */
	assert_int_equal(attachment_of(0)->state, ATTACHMENT_ATTACHED);
	assert_int_equal(attachment_of(1)->state, ATTACHMENT_ATTACHING);
	assert_int_not_equal(attachment_of(0)->id, attachment_of(1)->id);
	assert_int_equal(attachment_of(1)->device_index, 2);
	assert_ptr_equal(attachment_find(c.m, attachment_of(1)->id), attachment_of(1));
	acknowledge(1);
	assert_int_equal(attachment_of(1)->state, ATTACHMENT_ATTACHED);
	id_text_prefixed(ID_PREFIX_ATTACHMENT, attachment_of(1)->id, id);
	assert_ok(cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &keep, &c.refusal)));
	assert_true(attachment_of(1)->delete_on_termination);
	assert_false(attachment_of(0)->delete_on_termination);
	/* the first goes; the other is the first then */
	assert_ok(detach(0));
	assert_spread(2);
	assert_int_equal(attachment_of(0)->state, ATTACHMENT_DETACHING);
	assert_int_equal(attachment_of(1)->state, ATTACHMENT_ATTACHED);
	cluster_acknowledge(&c);
	assert_null(attachment_of(0));
	assert_ptr_equal(&cluster_interface(&c, record)->attachment, attachment_of(1));
	assert_string_equal(interface_status_text(cluster_interface(&c, record)), "in-use");
}

/* The record outlives an instance that would end it while another one has it.
 * requirement: NIC-5 */
static void test_the_last_one_ends_the_record(void **state)
{
	const bool yes = true;
	char id[ID_TEXT_SIZE];
	struct interface_modify_args ends = {
		.interface_id = record, .attachment_id = id, .delete_on_termination = &yes};
	const struct interface *i;

	assert_ok(share(true));
	for (size_t n = 0; n < 2; n++) {
		assert_ok(attach(n));
		id_text_prefixed(ID_PREFIX_ATTACHMENT, attachment_of(n)->id, id);
		assert_ok(cluster_end(&c,
				      interface_modify(cluster_tx(&c), &c.me, &ends, &c.refusal)));
	}
	cluster_acknowledge(&c);
	transition(0, instance_terminate);
	assert_spread(2);
	cluster_acknowledge(&c);
	assert_spread(2);
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 1);
	transition(1, instance_terminate);
	cluster_acknowledge(&c);
	assert_int_equal(interface_find(c.m, &c.me, record, &i, NULL), MODEL_E_INTERFACE_NOT_FOUND);
}

/* requirement: NIC-4 */
static void test_nodes_that_stop_are_left_out(void **state)
{
	assert_ok(share(true));
	for (size_t n = 0; n < NODES; n++)
		assert_ok(attach(n));
	cluster_acknowledge(&c);
	assert_spread(7);
	transition(1, instance_stop);
	assert_spread(5);
	cluster_acknowledge(&c);
	transition(1, instance_start);
	assert_spread(7);
	assert_ok(cluster_end(&c, instance_report(cluster_tx(&c), hosts[0],
						  cluster_instance(&c, nodes[0])->o.id,
						  cluster_instance(&c, nodes[0])->generation,
						  INSTANCE_REPORT_FAILED, "it crashed")));
	assert_spread(6);
}

/* requirement: NIC-4 */
static void test_one_host_carries_it_once(void **state)
{
	char other[ID_TEXT_SIZE];
	struct interface_attach_args args = {record, other, 1, false};
	const struct attachment *a;

	host_set_connected(c.m, hosts[1], false);
	host_set_connected(c.m, hosts[2], false);
	assert_ok(cluster_run(&c, c.subnet, other));
	cluster_acknowledge(&c);
	assert_ok(share(true));
	assert_ok(attach(0));
	assert_int_equal(
		cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a, &c.refusal)),
		MODEL_E_INTERFACE_ON_HOST);
	/* a node that starts goes to a host without it, or nowhere */
	assert_ok(attach(1));
	transition(1, instance_stop);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_end(&c, instance_start(cluster_tx(&c), &c.me,
							(const char *const[]){nodes[1]}, 1, NULL,
							&c.refusal)),
			 MODEL_E_NO_CAPACITY);
	host_set_connected(c.m, hosts[2], true);
	transition(1, instance_start);
	assert_int_equal(cluster_instance(&c, nodes[1])->host, hosts[2]);
	assert_spread(5);
}

static int settle(uint64_t now_ms)
{
	if (!interface_lost_due(c.m, now_ms))
		return 0;
	return cluster_end(&c, interface_settle_lost(cluster_tx(&c), now_ms, 10));
}

/* requirement: NIC-4 */
static void test_lost_hosts_get_nothing_while_another_is_there(void **state)
{
	assert_ok(share(true));
	for (size_t n = 0; n < NODES; n++)
		assert_ok(attach(n));
	cluster_acknowledge(&c);
	host_set_connected(c.m, hosts[1], false);
	assert_ok(settle(1000));
	assert_ok(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS - 1));
	assert_spread(7);
	assert_ok(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_spread(5);
	assert_int_equal(attachment_of(1)->state, ATTACHMENT_ATTACHED);
	host_set_connected(c.m, hosts[1], true);
	assert_ok(settle(1001 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_spread(7);
	/* all of them: they may well be there */
	for (size_t n = 0; n < NODES; n++)
		host_set_connected(c.m, hosts[n], false);
	assert_ok(settle(50000));
	assert_ok(settle(90000));
	assert_spread(7);
}

/* Any of its hosts may ask for it, and about what comes to it.
 * requirement: NIC-4 MAP-2 */
static void test_each_host_may_ask(void **state)
{
	struct ipaddr other = cluster_interface_of(&c, nodes[2])->addrs[0].addr;
	const struct mapping *found;

	assert_ok(share(true));
	assert_ok(attach(0));
	assert_ok(attach(1));
	for (size_t n = 0; n < NODES; n++)
		assert_int_equal(mapping_resolve(c.m, hosts[n], MAPPING_SEND, vni, &addr, &other,
						 NULL, &found, NULL),
				 n < 2 ? 0 : MODEL_E_MAPPING_NOT_HERE);
	assert_ok(mapping_resolve(c.m, hosts[2], MAPPING_VERIFY, vni, &other, &addr, NULL, &found,
				  NULL));
	assert_int_equal(found->hosts->n, 2);
}

/* An address that leaves several nodes is free when all of their hosts have said so.
 * requirement: NIC-3 NIC-4 */
static void test_an_address_leaves_all_of_them(void **state)
{
	const char *text = "10.0.0.60", *const texts[] = {text};
	struct interface_assign_args take = {
		.addrs = &text, .n_addrs = 1, .allow_reassignment = true};
	char plain[ID_TEXT_SIZE];
	const struct interface *i;
	struct ipaddr second = ipaddr_from_v4(0x0a00003c);
	size_t n;

	assert_ok(share(true));
	assert_ok(attach(0));
	assert_ok(attach(1));
	take.interface_id = record;
	assert_ok(cluster_end(&c,
			      interface_assign(cluster_tx(&c), &c.me, &take, &i, &n, &c.refusal)));
	cluster_acknowledge(&c);
	object_id_text(&cluster_interface_of(&c, nodes[2])->o, plain);
	take.interface_id = plain;
	assert_ok(cluster_end(&c,
			      interface_assign(cluster_tx(&c), &c.me, &take, &i, &n, &c.refusal)));
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &second)->host, 0);
	acknowledge(0);
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &second)->host, 0);
	assert_true(host_waits(c.m, hosts[1], model_revision(c.m)));
	acknowledge(1);
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &second)->host, hosts[2]);
	acknowledge(2);
	assert_int_equal(release_count(c.m), 0);
	/* and back, to both of them */
	take.interface_id = record;
	assert_ok(cluster_end(&c,
			      interface_assign(cluster_tx(&c), &c.me, &take, &i, &n, &c.refusal)));
	acknowledge(2);
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &second)->hosts->n, 2);
	acknowledge(1);
	assert_int_equal(release_count(c.m), 1);
	acknowledge(0);
	assert_int_equal(release_count(c.m), 0);
	/* given up, it is nobody's until both have said so */
	assert_ok(cluster_end(
		&c, interface_unassign(cluster_tx(&c), &c.me, record, texts, 1, &c.refusal)));
	acknowledge(1);
	assert_non_null(mapping_find(model_mappings(c.m), vni, &second));
	acknowledge(0);
	assert_null(mapping_find(model_mappings(c.m), vni, &second));
}

/* requirement: NIC-4 */
static void test_there_is_a_limit(void **state)
{
	char name[16], v6[24], more[LIMIT_MODEL_ATTACHMENTS + 1][ID_TEXT_SIZE];
	struct interface_attach_args args = {record, NULL, 1, false};
	const struct attachment *a;
	uint32_t host;

	assert_ok(share(true));
	for (size_t n = 0; n < NODES; n++)
		host_set_connected(c.m, hosts[n], false);
	for (size_t n = 0; n <= LIMIT_MODEL_ATTACHMENTS; n++) {
		snprintf(name, sizeof(name), "more%zu", n);
		snprintf(v6, sizeof(v6), "fd00::2:%zx", n + 1);
		host = cluster_add_host(&c, name, NULL, v6, 0x1e, 1500);
		assert_ok(cluster_run(&c, c.subnet, more[n]));
		host_set_connected(c.m, host, false);
		assert_ok(
			cluster_end(&c, host_acknowledge(cluster_tx(&c), host, model_revision(c.m),
							 NULL, 0, &c.refusal)));
		args.instance_id = more[n];
		assert_int_equal(cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a,
								  &c.refusal)),
				 n < LIMIT_MODEL_ATTACHMENTS ? 0 : MODEL_E_SHARED_LIMIT);
	}
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &addr)->hosts->n,
			 LIMIT_MODEL_ATTACHMENTS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_is_shared_is_attached_twice),
		TEST(test_attachments_live_by_themselves),
		TEST(test_the_last_one_ends_the_record),
		TEST(test_nodes_that_stop_are_left_out),
		TEST(test_one_host_carries_it_once),
		TEST(test_lost_hosts_get_nothing_while_another_is_there),
		TEST(test_each_host_may_ask),
		TEST(test_an_address_leaves_all_of_them),
		TEST(test_there_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
