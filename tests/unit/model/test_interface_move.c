/* SPDX-License-Identifier: Apache-2.0 */
/* An address goes to an instance, with a record of its own if need be; a failure restores the first
 * holder. */
#include <string.h>

#include "model/mapping.h"
#include "model/release.h"
#include "model/subnet_block6.h"
#include "model/vpc_block6.h"
#include "tests/unit/addr.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char first_node[ID_TEXT_SIZE], second_node[ID_TEXT_SIZE], other_subnet[ID_TEXT_SIZE];
static char first[ID_TEXT_SIZE], made_id[ID_TEXT_SIZE];

/* The second node is in another subnet than the address. */
static int setup(void **state)
{
	cluster_init_network(&c, 2);
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other_subnet);
	assert_ok(cluster_run_on(&c, 0, c.subnet, first_node));
	assert_ok(cluster_run_on(&c, 1, other_subnet, second_node));
	object_id_text(&cluster_interface_of(&c, first_node)->o, first);
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int move_as(const struct caller *who, const char *addr, const char *interface,
		   const char *instance, bool take, bool *ret_made)
{
	struct interface_move_args args = {.subnet_id = c.subnet,
					   .addr = addr,
					   .interface_id = interface,
					   .instance_id = instance,
					   .allow_reassignment = take};
	const struct interface *i;
	bool made = false;
	int r = interface_move(cluster_tx(&c), who, &args, &i, &made, &c.refusal);

	if (!r)
		object_id_text(&i->o, made_id);
	if (ret_made)
		*ret_made = made;
	return cluster_end(&c, r);
}

static bool move(const char *addr, const char *instance)
{
	bool made;

	assert_ok(move_as(&c.me, addr, NULL, instance, true, &made));
	return made;
}

/* Whose the address is: an interface's id, also while it is arriving. */
static const char *holder(const char *addr, bool *ret_arriving)
{
	static char id[ID_TEXT_SIZE];
	struct ipaddr a = addr_of(addr);
	const struct interface *i = interface_by_addr(c.m, cluster_interface(&c, first)->vni, &a);

	if (!i)
		return "";
	for (size_t n = 0; n < i->n_addrs; n++)
		if (ipaddr_equal(&i->addrs[n].addr, &a) && ret_arriving)
			*ret_arriving = i->addrs[n].arriving;
	return object_id_text(&i->o, id);
}

static uint32_t mapped_to(const char *addr)
{
	struct ipaddr a = addr_of(addr);
	const struct mapping *m =
		mapping_find(model_mappings(c.m), cluster_interface(&c, first)->vni, &a);

	return m ? m->host : UINT32_MAX;
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

static void give_first(const char *addr)
{
	assert_ok(move_as(&c.me, addr, first, NULL, false, NULL));
	cluster_acknowledge(&c);
	assert_string_equal(holder(addr, NULL), first);
}

/* requirement: NIC-3 */
static void test_a_record_is_made(void **state)
{
	const struct interface *i;
	bool arriving = false;

	give_first("10.0.0.77");
	assert_true(move("10.0.0.77", second_node));
	assert_string_equal(holder("10.0.0.77", &arriving), made_id);
	assert_true(arriving);
	assert_int_equal(mapped_to("10.0.0.77"), c.hosts[0]); /* the first is not stopped yet */
	i = cluster_interface(&c, made_id);
	assert_int_equal(i->attachment.instance, cluster_instance(&c, second_node)->o.id);
	assert_int_equal(i->attachment.device_index, 1);
	assert_int_equal(i->n_groups, cluster_interface(&c, first)->n_groups);
	assert_int_equal(i->groups[0].id, cluster_interface(&c, first)->groups[0].id);
	acknowledge(1, NULL);
	assert_int_equal(mapped_to("10.0.0.77"), c.hosts[0]);
	acknowledge(0, NULL);
	assert_int_equal(mapped_to("10.0.0.77"), c.hosts[1]);
	acknowledge(1, NULL);
	assert_int_equal(release_count(c.m), 0);
	assert_false(move("10.0.0.77", second_node)); /* it has it */
	assert_false(move("10.0.0.78", second_node)); /* it has a record in the subnet now */
	assert_int_equal(cluster_interface(&c, made_id)->n_addrs, 3);
}

/* requirement: NIC-3 */
static void test_an_address_that_nobody_has_is_the_new_records_own(void **state)
{
	struct ipaddr a = addr_of("10.0.0.99");

	assert_true(move("10.0.0.99", second_node));
	assert_int_equal(cluster_interface(&c, made_id)->n_addrs, 1);
	assert_true(ipaddr_equal(&cluster_interface(&c, made_id)->addrs[0].addr, &a));
	assert_true(move("10.0.0.98", NULL)); /* a record attached to nothing */
	assert_int_equal(cluster_interface(&c, made_id)->attachment.state, ATTACHMENT_NONE);
}

/* requirement: NIC-3 */
static void test_nothing_happens_unless_all_can(void **state)
{
	size_t n = model_count(c.m, KIND_INTERFACE);
	struct caller owner_of_nothing = c.stranger;
	char text[IPADDR_TEXT_SIZE];

	give_first("10.0.0.77");
	assert_int_equal(move_as(&c.me, "10.0.0.77", NULL, second_node, false, NULL),
			 MODEL_E_ADDRESS_ASSIGNED);
	assert_int_equal(move_as(&owner_of_nothing, "10.0.0.77", NULL, NULL, true, NULL),
			 MODEL_E_SUBNET_NOT_FOUND);
	assert_int_equal(move_as(&c.me, "10.0.0.77", first, second_node, true, NULL),
			 MODEL_E_COMBINATION);
	assert_int_equal(move_as(&c.me, "10.0.0.300", NULL, second_node, true, NULL),
			 MODEL_E_VALUE);
	assert_int_equal(move_as(&c.me, "10.0.1.77", NULL, second_node, true, NULL),
			 MODEL_E_ADDRESS_OUTSIDE);
	/* a primary address cannot leave; the record that was made for it is not there either */
	ipaddr_text(&cluster_interface(&c, first)->addrs[0].addr, text);
	assert_int_equal(move_as(&c.me, text, NULL, second_node, true, NULL),
			 MODEL_E_ADDRESS_PRIMARY);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), n);
	assert_string_equal(holder("10.0.0.77", NULL), first);
	assert_int_equal(release_count(c.m), 0);
}

/* The new record cannot be plugged in: before the first holder has let go, and after. */
static void check_restored(void)
{
	bool arriving = true;

	cluster_acknowledge(&c);
	cluster_acknowledge(&c);
	assert_string_equal(holder("10.0.0.77", &arriving), first);
	assert_false(arriving);
	assert_int_equal(mapped_to("10.0.0.77"), c.hosts[0]);
	assert_int_equal(release_count(c.m), 0);
	assert_int_equal(cluster_interface(&c, made_id)->attachment.state, ATTACHMENT_NONE);
	assert_int_equal(cluster_interface(&c, made_id)->n_addrs, 1);
}

/* requirement: NIC-3 */
static void test_a_host_that_fails_first_restores_the_first(void **state)
{
	give_first("10.0.0.77");
	assert_true(move("10.0.0.77", second_node));
	acknowledge(1, made_id);
	assert_string_equal(holder("10.0.0.77", NULL), first);
	acknowledge(0, NULL);
	check_restored();
}

/* requirement: NIC-3 */
static void test_a_host_that_fails_later_restores_the_first(void **state)
{
	give_first("10.0.0.77");
	assert_true(move("10.0.0.77", second_node));
	acknowledge(0, NULL);
	assert_int_equal(mapped_to("10.0.0.77"), c.hosts[1]);
	acknowledge(1, made_id);
	check_restored();
}

/* requirement: NIC-3 */
static void test_ipv6(void **state)
{
	const char *addr = "fd56:6976:3600:700::77", *outside = "fd56:6976:3600:701::77";
	struct vpc_block6_args block = {.pool_id = "ipv6pool-ec2-00000000000000001",
					.cidr = "fd56:6976:3600:700::/56"};
	const struct subnet *s;
	const struct vpc *v;
	bool arriving = false;

	assert_ok(cluster_end(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, c.vpc, &block, &v, &c.refusal)));
	assert_ok(cluster_end(&c,
			      subnet_associate_block6(cluster_tx(&c), &c.me, c.subnet,
						      "fd56:6976:3600:700::/64", &s, &c.refusal)));
	give_first(addr);
	assert_int_equal(move_as(&c.me, addr, NULL, second_node, false, NULL),
			 MODEL_E_ADDRESS_ASSIGNED);
	assert_int_equal(move_as(&c.me, outside, NULL, second_node, true, NULL),
			 MODEL_E_ADDRESS_OUTSIDE);
	assert_true(move(addr, second_node));
	assert_string_equal(holder(addr, &arriving), made_id);
	assert_true(arriving);
	assert_int_equal(cluster_interface(&c, made_id)->n_addrs,
			 2); /* and no IPv6 one of its own */
	acknowledge(1, NULL);
	assert_int_equal(mapped_to(addr), c.hosts[0]);
	acknowledge(0, NULL);
	assert_int_equal(mapped_to(addr), c.hosts[1]);
	acknowledge(1, made_id);
	cluster_acknowledge(&c);
	cluster_acknowledge(&c);
	assert_string_equal(holder(addr, &arriving), first);
	assert_false(arriving);
	assert_int_equal(mapped_to(addr), c.hosts[0]);
	assert_int_equal(release_count(c.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_record_is_made, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_an_address_that_nobody_has_is_the_new_records_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_happens_unless_all_can, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_host_that_fails_first_restores_the_first,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_host_that_fails_later_restores_the_first,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
