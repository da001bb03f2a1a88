/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attached interface that goes to another instance in one call: in every order of what hosts say,
 * and of what else happens meanwhile, never two hosts may have it live.
 */
#include "model/interface.h"

#include <string.h>

#include "base/limits.h"
#include "model/instance.h"
#include "model/mapping.h"
#include "model/plan.h"
#include "tests/unit/model/cluster.h"

enum { NODES = 3 };

static struct cluster c;
static char nodes[NODES][ID_TEXT_SIZE], record[ID_TEXT_SIZE];
static uint32_t hosts[NODES], vni;
static struct ipaddr addr;

/* What a host has of the record. */
enum has { NOTHING, STANDBY, LIVE };
static enum has acknowledged[NODES]; /* when it spoke last */

static int see(void *data, uint32_t host, const struct plan_item *item)
{
	if (item->kind == PLAN_INTERFACE && !strcmp(item->interface.id, record))
		*(enum has *)data = item->interface.standby ? STANDBY : LIVE;
	return 0;
}

static enum has told(size_t node)
{
	enum has has = NOTHING;

	assert_ok(plan_full(c.m, hosts[node], see, &has));
	return has;
}

/* A host that has not acknowledged a change may have either. */
static void assert_never_both(void)
{
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		n += acknowledged[i] == LIVE || told(i) == LIVE;
	assert_true(n <= 1);
}

static void assert_told(enum has a, enum has b)
{
	assert_int_equal(told(0), a);
	assert_int_equal(told(1), b);
	assert_never_both();
}

static uint32_t mapped(void)
{
	const struct mapping *m = mapping_find(model_mappings(c.m), vni, &addr);

	return m ? m->host : 0;
}

static int attach_as(const struct caller *caller, size_t node, uint32_t index, bool reassign)
{
	struct interface_attach_args args = {record, nodes[node], index, reassign};
	const struct attachment *a;
	int r = cluster_end(&c, interface_attach(cluster_tx(&c), caller, &args, &a, &c.refusal));

	assert_never_both();
	return r;
}

static int attach(size_t node, bool reassign)
{
	return attach_as(&c.me, node, 1, reassign);
}

static const struct attachment *attachment_of(size_t node)
{
	return interface_attachment_to(cluster_interface(&c, record),
				       cluster_instance(&c, nodes[node])->o.id);
}

static int detach_as(const struct caller *caller, size_t node, bool force)
{
	char id[ID_TEXT_SIZE];
	int r;

	id_text_prefixed(ID_PREFIX_ATTACHMENT, attachment_of(node)->id, id);
	r = cluster_end(&c, interface_detach(cluster_tx(&c), caller, id, force, &c.refusal));
	/* an operator says that its host has it no more */
	if (!r && force && caller->is_operator)
		acknowledged[node] = NOTHING;
	assert_never_both();
	return r;
}

static void transition(size_t node, cluster_transition_fn fn)
{
	assert_ok(cluster_transition(&c, fn, nodes[node]));
	assert_never_both();
}

static void acknowledge_with(size_t node, const struct host_failure *failed, size_t n)
{
	const enum has has = told(node);

	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), hosts[node], model_revision(c.m),
						   failed, n, &c.refusal)));
	acknowledged[node] = n ? NOTHING : has;
	assert_never_both();
}

static void acknowledge(size_t node)
{
	acknowledge_with(node, NULL, 0);
}

static void cannot(size_t node)
{
	const struct host_failure failure = {KIND_INTERFACE, cluster_interface(&c, record)->o.id,
					     "there is no room"};

	acknowledge_with(node, &failure, 1);
}

/* It is where it was, or where it went, and nothing is left of the way. */
static void assert_settled_at(size_t node)
{
	const struct interface *i = cluster_interface(&c, record);

	assert_int_equal(interface_attachment_count(i), 1);
	assert_ptr_equal(&i->attachment, attachment_of(node));
	assert_int_equal(i->attachment.state, ATTACHMENT_ATTACHED);
	assert_false(i->attachment.standby);
	assert_int_equal(mapped(), hosts[node]);
	for (size_t n = 0; n < NODES; n++)
		assert_int_equal(told(n), n == node ? LIVE : NOTHING);
	cluster_restart(&c); /* what is stored is sound */
	for (size_t n = 0; n < NODES; n++)
		host_set_connected(c.m, hosts[n], true);
}

static void report(size_t node, bool stands_by)
{
	struct capabilities can = host_by_number(c.m, hosts[node])->can;

	can.stands_by = stands_by;
	can.probed_ms++;
	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), hosts[node], &can, &c.refusal)));
}

static int setup(void **state)
{
	cluster_init_network(&c, NODES);
	for (size_t i = 0; i < NODES; i++) {
		assert_ok(cluster_run_on(&c, i, c.subnet, nodes[i]));
		hosts[i] = c.hosts[i];
		report(i, true);
		acknowledged[i] = NOTHING;
	}
	cluster_acknowledge(&c);
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", record));
	vni = cluster_interface(&c, record)->vni;
	addr = ipaddr_from_v4(0x0a000032);
	assert_ok(attach(0, true)); /* that is no other attachment's */
	acknowledge(0);
	assert_settled_at(0);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

/* requirement: NIC-3 */
static void test_each_step_waits_for_the_host_before(void **state)
{
	uint64_t revision = mapping_find(model_mappings(c.m), vni, &addr)->revision;

	assert_int_equal(attach(1, false), MODEL_E_INTERFACE_IN_USE);
	assert_ok(attach(1, true));
	assert_told(LIVE, STANDBY);
	assert_int_equal(attachment_of(0)->state, ATTACHMENT_ATTACHED);
	assert_int_equal(attachment_of(1)->state, ATTACHMENT_ATTACHING);
	acknowledge(0);
	acknowledge(2);
	assert_told(LIVE, STANDBY);
	acknowledge(1);
	assert_told(STANDBY, STANDBY);
	assert_int_equal(attachment_of(0)->state, ATTACHMENT_DETACHING);
	/* whoever knows where it was goes on knowing it */
	assert_int_equal(mapped(), hosts[0]);
	assert_int_equal(mapping_find(model_mappings(c.m), vni, &addr)->revision, revision);
	acknowledge(1);
	assert_told(STANDBY, STANDBY);
	cluster_restart(&c);
	acknowledge(0);
	assert_told(STANDBY, LIVE);
	assert_int_equal(mapped(), hosts[1]);
	assert_true(mapping_find(model_mappings(c.m), vni, &addr)->revision > revision);
	acknowledge(0);
	assert_told(STANDBY, LIVE);
	acknowledge(1);
	assert_settled_at(1);
	/* and back, under another index */
	assert_ok(attach_as(&c.me, 0, 2, true));
	acknowledge(1);
	acknowledge(0);
	acknowledge(1);
	acknowledge(0);
	assert_settled_at(0);
	assert_int_equal(attachment_of(0)->device_index, 2);
}

/* requirement: NIC-3 */
static void test_a_host_that_cannot_prepare_leaves_it_where_it_is(void **state)
{
	assert_ok(attach(1, true));
	cannot(1);
	assert_settled_at(0);
	acknowledge(0);
	assert_settled_at(0);
}

/* requirement: NIC-3 */
static void test_a_host_that_cannot_carry_gives_it_back(void **state)
{
	assert_ok(attach(1, true));
	acknowledge(1);
	acknowledge(0);
	assert_told(STANDBY, LIVE);
	cannot(1);
	assert_told(STANDBY, STANDBY);
	assert_int_equal(mapped(), hosts[1]);
	acknowledge(0);
	assert_told(STANDBY, STANDBY);
	cluster_restart(&c);
	acknowledge(1);
	assert_told(LIVE, NOTHING);
	acknowledge(0);
	assert_settled_at(0);
}

/* A node that has only begun to be made ready has not said anything.  requirement: NIC-3 */
static void test_what_is_pending_is_waited_for(void **state)
{
	const struct host_failure pending = {KIND_INSTANCE, cluster_instance(&c, nodes[1])->o.id,
					     NULL};

	assert_ok(attach(1, true));
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), hosts[1], model_revision(c.m),
						   &pending, 1, &c.refusal)));
	assert_told(LIVE, STANDBY);
	acknowledge(1);
	assert_told(STANDBY, STANDBY);
}

static int settle(uint64_t now_ms)
{
	if (!interface_lost_due(c.m, now_ms))
		return 0;
	return cluster_end(&c, interface_settle_lost(cluster_tx(&c), now_ms, 10));
}

static void lose(size_t node)
{
	host_set_connected(c.m, hosts[node], false);
	assert_ok(settle(1000));
	assert_ok(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS - 1));
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 2);
	assert_ok(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_never_both();
}

/* requirement: NIC-3 */
static void test_a_new_host_that_is_lost_is_not_waited_for(void **state)
{
	assert_ok(attach(1, true));
	lose(1);
	assert_settled_at(0);
	host_set_connected(c.m, hosts[1], true);
	/* also when the first one has been told to stop */
	assert_ok(attach(1, true));
	acknowledge(1);
	assert_told(STANDBY, STANDBY);
	lose(1);
	assert_told(LIVE, NOTHING);
	acknowledge(0);
	assert_settled_at(0);
}

/* The old one may carry it as long as it says nothing, and so may a new one that was told to.
 * requirement: NIC-3 */
static void test_an_old_host_that_is_lost_is_waited_for(void **state)
{
	assert_ok(attach(1, true));
	acknowledge(1);
	lose(0);
	assert_told(STANDBY, STANDBY);
	assert_int_equal(detach_as(&c.me, 0, false), MODEL_E_INTERFACE_STATE);
	assert_ok(detach_as(&c.me, 0, true)); /* EC2's force: it is detaching already */
	assert_told(STANDBY, STANDBY);
	assert_ok(detach_as(&c.admin, 0, true));
	assert_told(NOTHING, LIVE);
	acknowledge(1);
	assert_settled_at(1);
	/* the other way round */
	host_set_connected(c.m, hosts[0], true);
	assert_ok(attach(0, true));
	acknowledge(0);
	acknowledge(1);
	assert_told(LIVE, STANDBY);
	lose(0);
	assert_told(LIVE, STANDBY);
}

/* A host that cannot have one stand by is told nothing before it is to carry it, and everything when
 * it is to stop.  requirement: NIC-3, NEG-1 */
static void test_older_hosts(void **state)
{
	for (unsigned int older = 1; older < 4; older++) {
		report(0, !(older & 1));
		report(1, !(older & 2));
		assert_ok(attach(1, true));
		if (!(older & 2)) {
			assert_told(LIVE, STANDBY);
			acknowledge(1);
		}
		assert_told(older & 1 ? NOTHING : STANDBY, older & 2 ? NOTHING : STANDBY);
		acknowledge(0);
		assert_told(older & 1 ? NOTHING : STANDBY, LIVE);
		/* it goes back all the same */
		cannot(1);
		assert_told(older & 1 ? NOTHING : STANDBY, older & 2 ? NOTHING : STANDBY);
		acknowledge(1);
		assert_told(LIVE, NOTHING);
		acknowledge(0);
		assert_settled_at(0);
		/* and goes */
		assert_ok(attach(1, true));
		acknowledge(1);
		acknowledge(0);
		acknowledge(1);
		assert_settled_at(1);
		assert_ok(attach(0, true));
		acknowledge(0);
		acknowledge(1);
		acknowledge(0);
		assert_settled_at(0);
	}
}

/* One host has one device of it: the first goes before the second comes.  requirement: NIC-3 */
static void test_within_a_host(void **state)
{
	char other[ID_TEXT_SIZE];
	struct interface_attach_args args = {record, other, 1, true};
	const struct attachment *a;

	host_set_connected(c.m, hosts[1], false);
	host_set_connected(c.m, hosts[2], false);
	assert_ok(cluster_run(&c, c.subnet, other));
	cluster_acknowledge(&c);
	assert_int_equal(cluster_instance(&c, other)->host, hosts[0]);
	assert_ok(cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a, &c.refusal)));
	assert_int_equal(told(0), NOTHING);
	acknowledge(0);
	assert_int_equal(told(0), LIVE);
	assert_int_equal(mapped(), hosts[0]);
	acknowledge(0);
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 1);
	assert_int_equal(cluster_interface(&c, record)->attachment.instance,
			 cluster_instance(&c, other)->o.id);
	cluster_restart(&c);
}

/* How far it has come before something else happens. */
enum { PREPARING, STOPPING, ARRIVING, BACK, WAYS };

static void go(unsigned int way)
{
	assert_ok(attach(1, true));
	if (way >= STOPPING)
		acknowledge(1);
	if (way >= ARRIVING)
		acknowledge(0);
	if (way == BACK)
		cannot(1);
}

static void settle_all(void)
{
	for (int round = 0; round < 4; round++)
		for (size_t n = 0; n < NODES; n++)
			acknowledge(n);
}

/* requirement: NIC-3, NIC-5 */
static void instance_goes(size_t node, unsigned int way, bool ends)
{
	setup(NULL);
	go(way);
	transition(node, ends ? instance_terminate : instance_stop);
	settle_all();
	const struct interface *i = cluster_interface(&c, record);

	/* it is with the other one, or with nobody, or with the one that stopped; all is over */
	assert_true(interface_attachment_count(i) <= 1);
	assert_false(i->attachment.standby);
	if (ends)
		assert_null(attachment_of(node));
	if (interface_attachment_count(i))
		assert_int_equal(i->attachment.state, ATTACHMENT_ATTACHED);
	/* the node that had it keeps it when the other one goes before it came */
	if (node == 1 && way <= STOPPING)
		assert_settled_at(0);
	if (node == 0 && way == STOPPING)
		assert_settled_at(1);
	if (node == 0 && way == ARRIVING)
		assert_settled_at(1);
	cluster_restart(&c);
	cluster_deinit(&c);
}

static void test_instances_that_end_or_stop_meanwhile(void **state)
{
	for (size_t node = 0; node < 2; node++)
		for (unsigned int way = 0; way < WAYS; way++) {
			instance_goes(node, way, true);
			instance_goes(node, way, false);
		}
}

/* requirement: NIC-3 */
static void test_a_detach_meanwhile(void **state)
{
	/* of the one that it goes to: called off, or, when it is live there, a detach as any other */
	for (unsigned int way = PREPARING; way <= ARRIVING; way++) {
		setup(NULL);
		go(way);
		assert_ok(detach_as(&c.me, 1, false));
		settle_all();
		if (way == ARRIVING)
			assert_int_equal(interface_attachment_count(cluster_interface(&c, record)),
					 0);
		else
			assert_settled_at(0);
		cluster_deinit(&c);
	}
	/* of the one that it comes from */
	setup(NULL);
	go(PREPARING);
	assert_ok(detach_as(&c.me, 0, false));
	settle_all();
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 0);
	cluster_deinit(&c);
	setup(NULL);
	go(ARRIVING);
	assert_ok(detach_as(&c.me, 0, false));
	settle_all();
	assert_settled_at(1);
	cluster_deinit(&c);
	/* of the one that it was to go back to */
	setup(NULL);
	go(BACK);
	assert_int_equal(detach_as(&c.me, 1, false), MODEL_E_INTERFACE_STATE);
	assert_ok(detach_as(&c.me, 0, false));
	settle_all();
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 0);
	cluster_deinit(&c);
}

/* requirement: NIC-1, NIC-3 */
static void test_what_may_not_go(void **state)
{
	const bool yes = true;
	struct interface_set_args set = {.interface_id = record};
	char primary[ID_TEXT_SIZE];
	struct interface_attach_args args = {primary, nodes[1], 1, true};
	const struct attachment *a;

	/* an instance's first one */
	object_id_text(&cluster_interface_of(&c, nodes[0])->o, primary);
	assert_int_equal(
		cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &args, &a, &c.refusal)),
		MODEL_E_DEVICE_INDEX_PRIMARY);
	/* to where it is */
	assert_int_equal(attach(0, true), MODEL_E_INTERFACE_IN_USE);
	/* where there is no place */
	assert_int_equal(attach_as(&c.me, 1, 0, true), MODEL_E_DEVICE_INDEX_IN_USE);
	/* while it goes, whatever else is asked for */
	assert_ok(attach(1, true));
	assert_int_equal(attach(2, true), MODEL_E_INTERFACE_STATE);
	assert_int_equal(attach(2, false), MODEL_E_INTERFACE_IN_USE);
	set.shared = &yes;
	assert_int_equal(cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &set, &c.refusal)),
			 MODEL_E_INTERFACE_IN_USE);
	assert_int_equal(
		cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, record, &c.refusal)),
		MODEL_E_INTERFACE_IN_USE);
	cannot(1);
	assert_settled_at(0);
	/* one that is detached by itself */
	assert_ok(detach_as(&c.me, 0, false));
	assert_int_equal(attach(1, true), MODEL_E_INTERFACE_STATE);
	acknowledge(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_each_step_waits_for_the_host_before),
		TEST(test_a_host_that_cannot_prepare_leaves_it_where_it_is),
		TEST(test_a_host_that_cannot_carry_gives_it_back),
		TEST(test_what_is_pending_is_waited_for),
		TEST(test_a_new_host_that_is_lost_is_not_waited_for),
		TEST(test_an_old_host_that_is_lost_is_waited_for),
		TEST(test_older_hosts),
		TEST(test_within_a_host),
		cmocka_unit_test(test_instances_that_end_or_stop_meanwhile),
		cmocka_unit_test(test_a_detach_meanwhile),
		TEST(test_what_may_not_go),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
