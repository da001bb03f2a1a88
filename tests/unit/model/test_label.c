/* SPDX-License-Identifier: Apache-2.0 */
/* Labels: given with an address's place, resting until nobody may use them, never two for one at a
 * time. */
#include "model/label.h"

#include "base/limits.h"
#include "model/holders.h"
#include "model/plan.h"
#include "model/release.h"
#include "tests/unit/model/cluster.h"

enum { FORMATS = FORMAT_BIT(FORMAT_VXLAN_1) | FORMAT_BIT(FORMAT_REIP4_1), ROOM = 14 };

#define RANGE_1 "198.18.1.0/28"
#define RANGE_2 "198.18.2.0/28"

static struct cluster c;

static int set_aliases(uint32_t host, const char *aliases)
{
	char id[ID_TEXT_SIZE];
	const struct host *h;

	object_id_text(&host_by_number(c.m, host)->o, id);
	return cluster_end(&c,
			   host_set_aliases(cluster_tx(&c), &c.admin, id, aliases, &h, &c.refusal));
}

static int setup(void **state)
{
	cluster_init_network(&c, 0);
	c.hosts[0] = cluster_add_host(&c, "four1", "192.0.2.1", NULL, FORMATS, 1500);
	c.hosts[1] = cluster_add_host(&c, "four2", "192.0.2.2", NULL, FORMATS, 1500);
	assert_ok(set_aliases(c.hosts[0], RANGE_1));
	assert_ok(set_aliases(c.hosts[1], RANGE_2));
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct interface *nic(const char *instance)
{
	return cluster_interface_of(&c, instance);
}

static uint32_t label(const char *instance)
{
	const struct interface *i = nic(instance);

	return label_of(c.m, i->vni, &i->addrs[0].addr, interface_addr_host(i, 0));
}

static bool in_range(uint32_t label, uint32_t host)
{
	struct ipaddr a = ipaddr_from_v4(label);

	return prefix_contains(&host_by_number(c.m, host)->locators.aliases, &a);
}

static struct label_use use(uint32_t host)
{
	return label_use(c.m, host_by_number(c.m, host));
}

static void acknowledge_all(void)
{
	cluster_acknowledge(&c);
	for (size_t i = 0; i < 2; i++)
		host_set_acknowledged(c.m, c.hosts[i], model_revision(c.m));
}

static void expire(void)
{
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 1000)));
}

static void stop(const char *id)
{
	assert_ok(cluster_transition(&c, instance_stop, id));
}

static void start(const char *id)
{
	assert_ok(cluster_transition(&c, instance_start, id));
}

static void terminate(const char *id)
{
	assert_ok(cluster_transition(&c, instance_terminate, id));
}

/* ---- tests ---- */

/* requirement: PKT-16 */
static void test_an_address_gets_one_with_its_place(void **state)
{
	char ids[4][ID_TEXT_SIZE];
	uint32_t seen[4];

	for (size_t n = 0; n < 4; n++) {
		const struct interface *i;
		const struct label *l;

		assert_ok(cluster_run(&c, c.subnet, ids[n]));
		i = nic(ids[n]);
		seen[n] = label(ids[n]);
		assert_true(in_range(seen[n], i->attachment.host));
		l = label_find(c.m, seen[n]);
		assert_int_equal(l->vni, i->vni);
		assert_true(ipaddr_equal(&l->virtual, &i->addrs[0].addr));
		assert_false(l->since);
		for (size_t k = 0; k < n; k++)
			assert_int_not_equal(seen[k], seen[n]);
	}
	assert_int_equal(use(c.hosts[0]).used + use(c.hosts[1]).used, 4);
	assert_int_equal(use(c.hosts[0]).room, ROOM);
}

static int keep_interface(void *data, uint32_t host, const struct plan_item *item)
{
	if (item->kind == PLAN_INTERFACE && !item->remove)
		*(struct plan_interface *)data = item->interface;
	return 0;
}

/* It is in what its host is told, and the link-local address has none. */
/* requirement: PKT-16 */
static void test_hosts_are_told(void **state)
{
	static struct plan_interface told;
	char id[ID_TEXT_SIZE];

	assert_ok(cluster_run(&c, c.subnet, id));
	assert_ok(plan_full(c.m, nic(id)->attachment.host, keep_interface, &told));
	assert_int_equal(told.n_addrs, 2);
	assert_int_equal(told.labels[0], label(id));
	assert_int_not_equal(told.labels[0], 0);
	assert_int_equal(told.labels[1], 0);
}

/* requirement: PKT-16 */
static void test_a_label_rests_until_nobody_may_use_it(void **state)
{
	char id[ID_TEXT_SIZE];
	struct ipaddr addr;
	uint32_t was, host, network, other;
	uint64_t since;

	assert_ok(cluster_run(&c, c.subnet, id));
	acknowledge_all();
	was = label(id);
	host = nic(id)->attachment.host;
	other = host == c.hosts[0] ? c.hosts[1] : c.hosts[0];
	network = nic(id)->vni;
	addr = nic(id)->addrs[0].addr;
	assert_ok(holders_add(model_holders(c.m), network, &addr, other, nic(id)->addrs[0].revision,
			      UINT64_MAX));
	terminate(id);
	since = label_find(c.m, was)->since;
	assert_int_equal(since, model_revision(c.m));
	assert_int_equal(label_of(c.m, network, &addr, host), 0);
	assert_int_equal(use(host).used, 0);
	assert_int_equal(use(host).resting, 1);
	/* its host has not spoken, a holder has the mapping, it has just been used */
	expire();
	assert_non_null(label_find(c.m, was));
	c.now_ms += LIMIT_MODEL_LABEL_REST_MS;
	expire();
	assert_non_null(label_find(c.m, was));
	acknowledge_all();
	expire();
	assert_non_null(label_find(c.m, was)); /* the holder */
	assert_ok(holders_add(model_holders(c.m), network, &addr, other, since, UINT64_MAX));
	host_set_acknowledged(c.m, host, since - 1);
	expire();
	assert_non_null(label_find(c.m, was)); /* the host */
	acknowledge_all();
	expire();
	assert_null(label_find(c.m, was));
	assert_int_equal(use(host).resting, 0);
}

/* requirement: PKT-16 */
static void test_time_alone_is_enough_for_nothing_else(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t was;

	assert_ok(cluster_run(&c, c.subnet, id));
	acknowledge_all();
	was = label(id);
	terminate(id);
	acknowledge_all();
	expire();
	assert_non_null(label_find(c.m, was)); /* packets may be under way */
	c.now_ms += LIMIT_MODEL_LABEL_REST_MS - 1;
	expire();
	assert_non_null(label_find(c.m, was));
	c.now_ms += 1;
	expire();
	assert_null(label_find(c.m, was));
}

/* requirement: PKT-16 */
static void test_who_comes_back_has_it_again(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t was;
	uint64_t revision;

	assert_ok(cluster_run(&c, c.subnet, id));
	acknowledge_all();
	was = label(id);
	stop(id);
	acknowledge_all();
	assert_int_equal(label(id), 0);
	assert_true(label_find(c.m, was)->since);
	start(id);
	acknowledge_all();
	assert_int_equal(label(id), was);
	assert_false(label_find(c.m, was)->since);
	/* and the mapping's revision is one that holders are told about */
	revision = nic(id)->addrs[0].revision;
	assert_true(revision > 0);
}

/* requirement: PKT-16 */
static void test_a_full_range(void **state)
{
	char ids[2 * ROOM + 4][ID_TEXT_SIZE];
	size_t with = 0, without = 0;

	for (size_t n = 0; n < 2 * ROOM + 4; n++) {
		assert_ok(cluster_run(&c, c.subnet, ids[n]));
		with += label(ids[n]) != 0;
		without += !label(ids[n]);
	}
	assert_int_equal(with, 2 * ROOM);
	assert_int_equal(without, 4);
	assert_int_equal(use(c.hosts[0]).used, ROOM);
	/* one that rests is given to nobody, one whose rest is over is */
	acknowledge_all();
	terminate(ids[0]);
	acknowledge_all();
	assert_ok(cluster_run(&c, c.subnet, ids[0]));
	assert_int_equal(label(ids[0]), 0);
	terminate(ids[0]);
	acknowledge_all();
	c.now_ms += LIMIT_MODEL_LABEL_REST_MS;
	expire();
	assert_ok(cluster_run(&c, c.subnet, ids[0]));
	assert_ok(cluster_run(&c, c.subnet, ids[1]));
	assert_true(label(ids[0]) || label(ids[1]));
}

/* requirement: PKT-16 */
static void test_ranges_are_checked(void **state)
{
	static const char *const wrong[] = {"",           "198.18.9.0/29", "198.0.0.0/15",
					    "fd00::/64",  "224.0.0.0/24",  "127.0.0.0/24",
					    "0.0.0.0/16", "198.18.9.1/24", "label"};
	struct host_add_args args = {.name = "more", .v4 = "192.0.2.3"};
	const struct host *h;

	for (size_t n = 1; n < ARRAY_SIZE(wrong); n++) {
		args.aliases = wrong[n];
		assert_int_equal(
			cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)),
			MODEL_E_VALUE);
		assert_int_equal(set_aliases(c.hosts[0], wrong[n]), MODEL_E_VALUE);
	}
	args.aliases = "198.18.0.0/16"; /* has the others' ranges */
	assert_int_equal(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)),
			 MODEL_E_EXISTS);
	args.aliases = "192.0.2.0/24"; /* has hosts' addresses, its own, too */
	assert_int_equal(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)),
			 MODEL_E_EXISTS);
	args = (struct host_add_args){.name = "more", .v6 = "fd00::3", .aliases = "198.18.3.0/28"};
	assert_int_equal(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)),
			 MODEL_E_MISSING);
	assert_int_equal(set_aliases(c.hosts[0], RANGE_2), MODEL_E_EXISTS);
	assert_ok(set_aliases(c.hosts[0], RANGE_1)); /* as it is */
}

/* What is there gets labels of the new range, those of the old one rest, and nobody else gets the
 * old range meanwhile. */
/* requirement: PKT-16 */
static void test_another_range(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t host, other, was, is;
	uint64_t revision;

	assert_ok(cluster_run(&c, c.subnet, id));
	acknowledge_all();
	host = nic(id)->attachment.host;
	other = host == c.hosts[0] ? c.hosts[1] : c.hosts[0];
	was = label(id);
	revision = nic(id)->addrs[0].revision;
	assert_ok(set_aliases(host, "198.18.7.0/28"));
	is = label(id);
	assert_true(in_range(is, host));
	assert_int_not_equal(is, was);
	assert_true(label_find(c.m, was)->since);
	assert_true(nic(id)->addrs[0].revision > revision); /* holders are told */
	assert_int_equal(set_aliases(other, host == c.hosts[0] ? RANGE_1 : RANGE_2),
			 MODEL_E_EXISTS);
	acknowledge_all();
	c.now_ms += LIMIT_MODEL_LABEL_REST_MS;
	expire();
	assert_ok(set_aliases(other, host == c.hosts[0] ? RANGE_1 : RANGE_2));
	assert_ok(set_aliases(host, ""));
	assert_int_equal(label(id), 0);
	assert_true(label_find(c.m, is)->since);
}

/* requirement: PKT-16 */
static void test_undone(void **state)
{
	char id[ID_TEXT_SIZE], second[ID_TEXT_SIZE];
	const char *ids = id;
	struct instance_transition t;
	struct change *change;
	uint32_t was, n;

	assert_ok(cluster_run(&c, c.subnet, id));
	was = label(id);
	n = use(c.hosts[0]).used + use(c.hosts[1]).used;
	change = cluster_end_change(
		&c, instance_terminate(cluster_tx(&c), &c.me, &ids, 1, &t, &c.refusal));
	assert_int_equal(label(id), 0);
	change_undo(change);
	assert_int_equal(label(id), was);
	assert_int_equal(use(c.hosts[0]).used + use(c.hosts[1]).used, n);
	assert_int_equal(use(c.hosts[0]).resting + use(c.hosts[1]).resting, 0);
	assert_ok(cluster_run(&c, c.subnet, second));
	assert_int_not_equal(label(second), was);
}

/* requirement: PKT-16 */
static void test_stored(void **state)
{
	char id[ID_TEXT_SIZE], gone[ID_TEXT_SIZE];
	uint32_t was, rests;

	assert_ok(cluster_run(&c, c.subnet, id));
	assert_ok(cluster_run(&c, c.subnet, gone));
	acknowledge_all();
	was = label(id);
	rests = label(gone);
	terminate(gone);
	cluster_restart(&c);
	assert_int_equal(label(id), was);
	assert_true(label_find(c.m, rests)->since);
	/* nobody has said since then what he holds, and no host what it has applied */
	c.now_ms += LIMIT_MODEL_LABEL_REST_MS;
	expire();
	assert_non_null(label_find(c.m, rests));
	acknowledge_all();
	release_host_known(c.m, c.hosts[0]);
	expire();
	assert_non_null(label_find(c.m, rests));
	release_host_known(c.m, c.hosts[1]);
	expire();
	assert_null(label_find(c.m, rests));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_address_gets_one_with_its_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hosts_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_label_rests_until_nobody_may_use_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_time_alone_is_enough_for_nothing_else, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_who_comes_back_has_it_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_full_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ranges_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
