/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address goes from one node to another: the first loses it, its host says so, the second gets
 * it, its host says so, the holders know.
 */
#include "model/release.h"

#include <string.h>

#include "model/holders.h"
#include "model/mapping.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char first_node[ID_TEXT_SIZE], second_node[ID_TEXT_SIZE];
static char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];
static struct ipaddr addr;
static uint32_t vni;

static void run_on(size_t host, char instance[ID_TEXT_SIZE], char interface[ID_TEXT_SIZE])
{
	assert_ok(cluster_run_on(&c, host, c.subnet, instance));
	object_id_text(&cluster_interface_of(&c, instance)->o, interface);
}

static int assign(const char *interface, bool reassign)
{
	const char *text = "10.0.0.77";
	struct interface_assign_args args = {.interface_id = interface,
					     .addrs = &text,
					     .n_addrs = 1,
					     .allow_reassignment = reassign};
	const struct interface *i;
	size_t n;

	return cluster_end(&c, interface_assign(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal));
}

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	run_on(0, first_node, first);
	run_on(1, second_node, second);
	assert_ok(ipaddr_parse("10.0.0.77", &addr));
	vni = cluster_interface(&c, first)->vni;
	assert_ok(assign(first, false));
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void acknowledge(size_t host, const char *failed)
{
	struct host_failure failure = {.kind = KIND_INTERFACE, .text = "no room"};

	if (failed)
		failure.id = cluster_interface(&c, failed)->o.id;
	assert_ok(
		cluster_end(&c, host_acknowledge(cluster_tx(&c), c.hosts[host], model_revision(c.m),
						 &failure, !!failed, &c.refusal)));
}

static uint32_t mapped_to(void)
{
	const struct mapping *m = mapping_find(model_mappings(c.m), vni, &addr);

	return m ? m->host : UINT32_MAX;
}

static bool has(const char *interface)
{
	const struct interface *i = cluster_interface(&c, interface);

	for (size_t n = 0; n < i->n_addrs; n++)
		if (ipaddr_equal(&i->addrs[n].addr, &addr))
			return true;
	return false;
}

static size_t settle(void)
{
	size_t n;

	assert_ok(cluster_end(&c, release_settle(cluster_tx(&c), &n)));
	return n;
}

static const struct release *the_move(void)
{
	struct model_iter it = model_iter_kind(c.m, KIND_RELEASE);

	return (const struct release *)model_iter_next(&it);
}

/* requirement: NIC-3 */
static void test_the_first_holder_is_stopped_before_the_second_starts(void **state)
{
	assert_ok(assign(second, true));
	assert_false(has(first));
	assert_true(has(second));
	assert_int_equal(mapped_to(), c.hosts[0]);
	assert_int_equal(the_move()->step, RELEASE_LEAVING);
	acknowledge(1, NULL); /* not the word that is waited for */
	assert_int_equal(mapped_to(), c.hosts[0]);
	acknowledge(0, NULL);
	assert_int_equal(mapped_to(), c.hosts[1]);
	assert_int_equal(the_move()->step, RELEASE_ARRIVING);
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 0);
	assert_true(has(second));
}

static void acknowledge_pending(size_t host, const char *instance)
{
	const struct host_failure pending = {.kind = KIND_INSTANCE,
					     .id = cluster_instance(&c, instance)->o.id};

	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), c.hosts[host],
						   model_revision(c.m), &pending, 1, &c.refusal)));
}

/* What left a node has left, whatever is being done to the node; what arrives has not arrived
 * before the node is ready for it.  requirement: NIC-3 */
static void test_a_node_that_is_not_ready_is_waited_for_where_it_arrives(void **state)
{
	assert_ok(assign(second, true));
	acknowledge_pending(0, first_node);
	assert_int_equal(the_move()->step, RELEASE_ARRIVING);
	acknowledge_pending(1, second_node);
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(the_move()->step, RELEASE_ARRIVING);
	acknowledge(1, second); /* and now it says that it cannot */
	assert_true(has(first));
	assert_false(has(second));
}

/* requirement: NIC-3 */
static void test_it_ends_when_the_holders_know(void **state)
{
	uint64_t revision;

	assert_ok(holders_add(model_holders(c.m), vni, &addr, c.hosts[2], 1, 1000000));
	assert_ok(assign(second, true));
	acknowledge(0, NULL);
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(settle(), 0);
	revision = mapping_find(model_mappings(c.m), vni, &addr)->revision;
	assert_ok(holders_add(model_holders(c.m), vni, &addr, c.hosts[2], revision, 1000000));
	assert_int_equal(settle(), 1);
}

/* requirement: NIC-3 */
static void test_a_failure_restores_the_first(void **state)
{
	assert_ok(assign(second, true));
	acknowledge(0, NULL);
	acknowledge(1, second);
	/* the second lets go before the first gets it back */
	assert_true(has(first));
	assert_false(has(second));
	assert_int_equal(mapped_to(), c.hosts[1]);
	acknowledge(0, NULL);
	assert_int_equal(mapped_to(), c.hosts[1]);
	acknowledge(1, NULL);
	assert_int_equal(mapped_to(), c.hosts[0]);
	/* a host that fails again is not asked again */
	acknowledge(0, first);
	assert_true(has(first));
	assert_int_equal(release_count(c.m), 0);
}

/* requirement: NIC-3 */
static void test_while_it_is_under_way_nobody_else_gets_it(void **state)
{
	char third[ID_TEXT_SIZE];

	assert_ok(assign(second, true));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, third));
	assert_int_equal(assign(third, true), MODEL_E_ADDRESS_MOVING);
	assert_int_equal(assign(first, true), MODEL_E_ADDRESS_MOVING);
	acknowledge(0, NULL);
	/* arriving: on its second host, from where it may go on */
	assert_ok(assign(third, true));
	assert_int_equal(mapped_to(), c.hosts[1]);
	acknowledge(1, NULL);
	assert_int_equal(mapped_to(), 0); /* the third is attached to nothing */
	assert_int_equal(release_count(c.m), 0);
}

/* requirement: NIC-3 */
static void test_an_end_that_goes_leaves_a_release(void **state)
{
	assert_ok(assign(second, true));
	assert_ok(cluster_transition(&c, instance_terminate, second_node));
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(the_move()->to, 0);
	assert_int_equal(mapped_to(), 0);
	assert_int_equal(assign(first, false), MODEL_E_ADDRESS_IN_USE);
	acknowledge(0, NULL);
	assert_int_equal(release_count(c.m), 0);
	assert_ok(assign(first, false));
}

/* requirement: NIC-3 */
static void test_unassigning_waits_for_the_node_itself(void **state)
{
	const char *text = "10.0.0.77";

	assert_ok(cluster_end(
		&c, interface_unassign(cluster_tx(&c), &c.me, first, &text, 1, &c.refusal)));
	assert_int_equal(release_count(c.m), 1); /* nobody held it: the node has it yet */
	assert_int_equal(assign(second, false), MODEL_E_ADDRESS_IN_USE);
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 1);
	acknowledge(0, NULL);
	assert_int_equal(release_count(c.m), 0);
	assert_ok(assign(second, false));
}

/* requirement: NIC-3 */
static void test_an_operator_forces_it(void **state)
{
	assert_ok(assign(second, true));
	assert_int_equal(
		cluster_end(&c, release_force(cluster_tx(&c), &c.me, vni, &addr, &c.refusal)),
		MODEL_E_NOT_PERMITTED);
	assert_ok(cluster_end(&c, release_force(cluster_tx(&c), &c.admin, vni, &addr, &c.refusal)));
	assert_int_equal(mapped_to(), c.hosts[1]);
	assert_ok(cluster_end(&c, release_force(cluster_tx(&c), &c.admin, vni, &addr, &c.refusal)));
	assert_int_equal(release_count(c.m), 0);
	assert_int_equal(
		cluster_end(&c, release_force(cluster_tx(&c), &c.admin, vni, &addr, &c.refusal)),
		MODEL_E_VALUE);
}

/* requirement: NIC-3 */
static void test_a_host_that_is_removed_is_not_waited_for(void **state)
{
	assert_ok(assign(second, true));
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "h1", true, &c.refusal)));
	assert_int_equal(mapped_to(), c.hosts[1]);
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 0);
}

static void note_blocker(void *data, uint32_t host, enum release_blocker why)
{
	size_t *n = data;

	n[why] += host;
}

static void test_who_is_waited_for(void **state)
{
	size_t n[3] = {0};

	assert_ok(holders_add(model_holders(c.m), vni, &addr, c.hosts[2], 1, 1000000));
	assert_ok(assign(second, true));
	release_each_blocker(c.m, the_move(), note_blocker, n);
	assert_int_equal(n[RELEASE_BY_HOST], c.hosts[0]);
	assert_int_equal(n[RELEASE_BY_HOLDER], 0);
	acknowledge(0, NULL);
	memset(n, 0, sizeof(n));
	release_each_blocker(c.m, the_move(), note_blocker, n);
	assert_int_equal(n[RELEASE_BY_HOST], c.hosts[1]);
	assert_int_equal(n[RELEASE_BY_HOLDER], c.hosts[2]);
	assert_int_equal(n[RELEASE_BY_UNKNOWN], 0);
}

/* requirement: NIC-3 */
static void test_from_a_node_that_is_stopped_at_once(void **state)
{
	assert_ok(cluster_transition(&c, instance_stop, first_node));
	cluster_acknowledge(&c);
	assert_ok(assign(second, true));
	assert_int_equal(mapped_to(), c.hosts[1]);
	assert_int_equal(release_count(c.m), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_holder_is_stopped_before_the_second_starts),
		TEST(test_a_node_that_is_not_ready_is_waited_for_where_it_arrives),
		TEST(test_it_ends_when_the_holders_know),
		TEST(test_a_failure_restores_the_first),
		TEST(test_while_it_is_under_way_nobody_else_gets_it),
		TEST(test_an_end_that_goes_leaves_a_release),
		TEST(test_unassigning_waits_for_the_node_itself),
		TEST(test_an_operator_forces_it),
		TEST(test_a_host_that_is_removed_is_not_waited_for),
		TEST(test_who_is_waited_for),
		TEST(test_from_a_node_that_is_stopped_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
