/* SPDX-License-Identifier: Apache-2.0 */
/* Peering connections: their life, who may do what, what hosts are told, who may know where nodes
 * are. */
#include "model/peering.h"

#include "model/mapping.h"
#include "model/plan.h"
#include "model/route_table.h"
#include "model/tag.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/sinks.h"

static struct cluster c;
static char other_vpc[ID_TEXT_SIZE], other_subnet[ID_TEXT_SIZE];

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	cluster_make_vpc(&c, "10.9.0.0/16", other_vpc);
	cluster_make_subnet(&c, other_vpc, "10.9.0.0/24", other_subnet);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int ask(const char *from, const char *to, char ret_id[static ID_TEXT_SIZE])
{
	struct peering_create_args args = {.vpc_id = from, .peer_vpc_id = to};
	const struct peering *p;
	int r = peering_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal);

	if (!r)
		object_id_text(&p->o, ret_id);
	return cluster_end(&c, r);
}

static int accept(const struct caller *who, const char *id)
{
	const struct peering *p;

	return cluster_end(&c, peering_accept(cluster_tx(&c), who, id, &p, &c.refusal));
}

static enum peering_state state_of(const char *id)
{
	const struct peering *p;

	assert_ok(peering_find(c.m, &c.me, id, &p, &c.refusal));
	return p->state;
}

/* requirement: TOPO-1 */
static void test_life(void **state)
{
	char id[ID_TEXT_SIZE], again[ID_TEXT_SIZE];

	assert_ok(ask(c.vpc, other_vpc, id));
	assert_int_equal(state_of(id), PEERING_PENDING);
	assert_ok(ask(c.vpc, other_vpc, again));
	assert_string_equal(id, again);
	assert_int_equal(accept(&c.stranger, id), MODEL_E_PEERING_NOT_FOUND);
	assert_ok(accept(&c.me, id));
	assert_int_equal(state_of(id), PEERING_ACTIVE);
	assert_int_equal(accept(&c.me, id), MODEL_E_PEERING_TRANSITION);
	assert_int_equal(ask(other_vpc, c.vpc, again), MODEL_E_PEERING_EXISTS);
	assert_ok(cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, other_subnet, &c.refusal)));
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, other_vpc, &c.refusal)),
			 MODEL_E_VPC_DEPENDENCY);
	assert_ok(cluster_end(&c, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_int_equal(state_of(id), PEERING_DELETED);
	assert_int_equal(cluster_end(&c, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal)),
			 MODEL_E_PEERING_TRANSITION);
	assert_ok(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, other_vpc, &c.refusal)));
	/* described for an hour yet */
	c.now_ms += 59 * 60 * 1000;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 10)));
	assert_int_equal(model_count(c.m, KIND_PEERING), 1);
	c.now_ms += 60 * 1000;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 10)));
	assert_int_equal(model_count(c.m, KIND_PEERING), 0);
}

static const char *tag_told(const struct caller *who, const char *id)
{
	const struct peering *p;
	const struct tag *tags;
	size_t n;

	assert_ok(peering_find(c.m, who, id, &p, &c.refusal));
	tags = tags_of(who, &p->o, &n);
	assert_in_range(n, 0, 1);
	return n ? tags[0].value : NULL;
}

static int tag(const struct caller *who, const char *id, const char *value)
{
	const struct tag_args tag = {"side", value};

	return cluster_end(&c, tag_create(cluster_tx(&c), who, &id, 1, &tag, 1, &c.refusal));
}

/* Of two accounts each has its own, over a restart as well; a third has none.
 * requirement: OPS-1 */
static void test_tags_of_both_sides(void **state)
{
	struct vpc_create_args theirs = {.cidr = "10.8.0.0/16"};
	struct peering_create_args args = {.vpc_id = c.vpc, .peer_account = "999999999999"};
	const struct caller third = {.account = 888888888888};
	char id[ID_TEXT_SIZE], vpc[ID_TEXT_SIZE];
	const char *const ids[] = {id};
	const struct peering *p;
	const struct vpc *v;
	struct change *change;
	size_t n;

	assert_ok(
		cluster_end(&c, vpc_create(cluster_tx(&c), &c.stranger, &theirs, &v, &c.refusal)));
	args.peer_vpc_id = object_id_text(&v->o, vpc);
	assert_ok(peering_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal));
	object_id_text(&p->o, id);
	assert_ok(cluster_end(&c, 0));
	assert_ok(tag(&c.me, id, "requester"));
	assert_null(tag_told(&c.stranger, id));
	assert_ok(tag(&c.stranger, id, "accepter"));
	assert_int_equal(tag(&third, id, "x"), MODEL_E_PEERING_NOT_FOUND);
	assert_int_equal(tag(&c.stranger, vpc, "own"), 0);
	cluster_restart(&c);
	assert_string_equal(tag_told(&c.me, id), "requester");
	assert_string_equal(tag_told(&c.stranger, id), "accepter");
	assert_ok(accept(&c.stranger, id));
	change = cluster_end_change(
		&c, tag_delete(cluster_tx(&c), &c.stranger, ids, 1, NULL, 0, &c.refusal));
	assert_null(tag_told(&c.stranger, id));
	change_undo(change);
	assert_string_equal(tag_told(&c.stranger, id), "accepter");
	assert_ok(cluster_end(&c, tag_delete(cluster_tx(&c), &c.me, ids, 1, NULL, 0, &c.refusal)));
	assert_null(tag_told(&c.me, id));
	assert_string_equal(tag_told(&c.stranger, id), "accepter");
	assert_ok(peering_find(c.m, &c.me, id, &p, &c.refusal));
	assert_null(tags_of(&third, &p->o, &n));
	assert_int_equal(n, 0);
}

/* requirement: TOPO-1 */
static void test_what_fails(void **state)
{
	char id[ID_TEXT_SIZE], same[ID_TEXT_SIZE];

	cluster_make_vpc(&c, "10.0.128.0/20", same);
	assert_ok(ask(c.vpc, same, id));
	assert_int_equal(state_of(id), PEERING_FAILED);
	assert_ok(ask(c.vpc, c.vpc, id));
	assert_int_equal(state_of(id), PEERING_FAILED);
	assert_ok(ask(c.vpc, "vpc-00000000000000001", id));
	assert_int_equal(state_of(id), PEERING_FAILED);
	assert_int_equal(ask(c.vpc, "nonsense", id), MODEL_E_VALUE);
	assert_int_equal(ask("vpc-00000000000000001", c.vpc, id), MODEL_E_VPC_NOT_FOUND);
	assert_int_equal(ask(c.vpc, NULL, id), MODEL_E_MISSING);
}

/* requirement: TOPO-1 */
static void test_nobody_accepts(void **state)
{
	char id[ID_TEXT_SIZE];

	assert_ok(ask(c.vpc, other_vpc, id));
	c.now_ms += 7ULL * 24 * 3600 * 1000 - 1;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 10)));
	assert_int_equal(state_of(id), PEERING_PENDING);
	c.now_ms++;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 10)));
	assert_int_equal(state_of(id), PEERING_EXPIRED);
	assert_int_equal(accept(&c.me, id), MODEL_E_PEERING_TRANSITION);
}

/* requirement: MAP-2 */
static void test_who_may_know(void **state)
{
	char id[ID_TEXT_SIZE], one[ID_TEXT_SIZE], two[ID_TEXT_SIZE];
	const struct interface *a, *b;
	const struct mapping *found;
	struct mapping_key from, to;

	assert_ok(cluster_run(&c, c.subnet, one));
	assert_ok(cluster_run(&c, other_subnet, two));
	a = cluster_interface_of(&c, one);
	b = cluster_interface_of(&c, two);
	from = mapping_key_of(a->vni, &a->addrs[0].addr);
	to = mapping_key_of(b->vni, &b->addrs[0].addr);
	assert_int_equal(mapping_resolve_key(c.m, a->attachment.host, MAPPING_SEND, &from, &to,
					     NULL, &found, NULL),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_ok(ask(c.vpc, other_vpc, id));
	assert_int_equal(mapping_resolve_key(c.m, a->attachment.host, MAPPING_SEND, &from, &to,
					     NULL, &found, NULL),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_ok(accept(&c.me, id));
	a = cluster_interface_of(&c, one);
	b = cluster_interface_of(&c, two);
	assert_ok(mapping_resolve_key(c.m, a->attachment.host, MAPPING_SEND, &from, &to, NULL,
				      &found, NULL));
	assert_int_equal(found->host, b->attachment.host);
	assert_ok(mapping_resolve_key(c.m, b->attachment.host, MAPPING_VERIFY, &to, &from, NULL,
				      &found, NULL));
	/* another host's question */
	assert_int_equal(mapping_resolve_key(c.m, b->attachment.host, MAPPING_SEND, &from, &to,
					     NULL, &found, NULL),
			 MODEL_E_MAPPING_NOT_HERE);
	assert_true(peering_reaches(c.m, a->attachment.host, b->vni));
	assert_ok(cluster_end(&c, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_false(peering_reaches(c.m, a->attachment.host, b->vni));
	assert_int_equal(mapping_resolve_key(c.m, a->attachment.host, MAPPING_SEND, &from, &to,
					     NULL, &found, NULL),
			 MODEL_E_MAPPING_UNKNOWN);
}

struct told {
	size_t n_set, n_removed, n_network, n_geneve;
	uint32_t vni;
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind == PLAN_PEERING) {
		t->n_set += !item->remove;
		t->n_removed += item->remove;
		assert_true(item->peering.vni_a < item->peering.vni_b);
	}
	for (size_t i = 0; item->kind == PLAN_PEER && i < item->peer.n_variants; i++)
		t->n_geneve += item->peer.variants[i].choice->send == FORMAT_GENEVE_2;
	if (item->kind != PLAN_TABLE || item->remove)
		return 0;
	for (size_t i = 0; i < item->table.n_routes; i++) {
		if (item->table.routes[i].target != PLAN_TARGET_NETWORK)
			continue;
		t->n_network++;
		t->vni = item->table.routes[i].vni;
	}
	return 0;
}

static struct told told_by(struct sink_hosts *hosts, int r)
{
	struct told t = {0};
	struct sink_script script;
	struct change *change = cluster_end_change(&c, r);

	assert_ok(plan_change(c.m, change, note, &t));
	sink_script_record(&script, c.m, change);
	sink_hosts_play(hosts, &script);
	sink_script_deinit(&script);
	sink_hosts_check(hosts, c.m);
	change_free(change);
	return t;
}

/* Nodes of both networks come to hosts and go, on the same hosts and on others. */
static void test_carriers_come_and_go(struct sink_hosts *hosts)
{
	char ids[6][ID_TEXT_SIZE];
	struct instance_transition transition;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct instance_run_args args = {.min_count = 1,
						 .max_count = 1,
						 .subnet_id = i % 2 ? other_subnet : c.subnet};
		const struct instance *n;
		size_t count;

		told_by(hosts, instance_run(cluster_tx(&c), &c.me, &args, &n, &count, &c.refusal));
		n = (const struct instance *)model_get(c.m, KIND_INSTANCE, n->o.id);
		object_id_text(&n->o, ids[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const char *id = ids[i];

		told_by(hosts,
			instance_terminate(cluster_tx(&c), &c.me, &id, 1, &transition, &c.refusal));
	}
}

/* '*ret_geneve': what two hosts are told to use between the networks alone, as those are peered. */
static void check_what_hosts_are_told(size_t *ret_geneve)
{
	char id[ID_TEXT_SIZE], one[ID_TEXT_SIZE], two[ID_TEXT_SIZE], rtb[ID_TEXT_SIZE];
	struct route_args route = {.table_id = rtb, .cidr = "10.9.0.0/16", .peering_id = id};
	const struct peering *p;
	struct sink_hosts hosts;
	struct told t;

	assert_ok(cluster_run(&c, c.subnet, one));
	assert_ok(cluster_run(&c, other_subnet, two));
	sink_hosts_load(&hosts, c.m);
	assert_int_not_equal(cluster_instance(&c, one)->host, cluster_instance(&c, two)->host);
	assert_ok(ask(c.vpc, other_vpc, id));
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, c.vpc)->main_table, rtb);
	t = told_by(&hosts, route_create(cluster_tx(&c), &c.me, &route, &c.refusal));
	assert_int_equal(t.n_network, 0); /* a black hole until it is accepted */
	t = told_by(&hosts, peering_accept(cluster_tx(&c), &c.me, id, &p, &c.refusal));
	assert_int_equal(t.n_set, 2);
	assert_int_equal(t.n_network, 1);
	assert_int_equal(t.vni, cluster_vpc(&c, other_vpc)->vni);
	*ret_geneve = t.n_geneve;
	test_carriers_come_and_go(&hosts);
	t = told_by(&hosts, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal));
	assert_true(t.n_removed >= 2);
	assert_int_equal(t.n_network, 0);
	assert_int_equal(t.n_geneve, 0);
	sink_hosts_deinit(&hosts);
}

/* requirement: TOPO-1 */
static void test_what_hosts_are_told(void **state)
{
	size_t geneve;

	check_what_hosts_are_told(&geneve);
	assert_int_equal(geneve, 0);
}

/* Where hosts have nothing better than vxlan, which says one network, they are told what to use
 * between peered ones, without any policy. */
/* requirement: TOPO-1, PKT-3, NEG-2 */
static void test_what_tunnels_are_told(void **state)
{
	struct capabilities can = {
		.formats = FORMATS_TUNNEL, .substrate_mtu = 1500, .probed_ms = 1, .generation = 1};
	size_t geneve;

	for (size_t i = 0; i < 3; i++)
		assert_ok(
			cluster_end(&c, host_report(cluster_tx(&c), c.hosts[i], &can, &c.refusal)));
	cluster_acknowledge(&c);
	check_what_hosts_are_told(&geneve);
	assert_int_equal(geneve, 2); /* each of the two hosts */
}

static int report(size_t i, uint32_t formats)
{
	struct capabilities can = {.formats = formats,
				   .substrate_mtu = 1500,
				   .probed_ms = 1,
				   .generation = c.now_ms++};

	return cluster_end(&c, host_report(cluster_tx(&c), c.hosts[i], &can, &c.refusal));
}

/* The change is kept. */
static struct change *run_on(const char *host, const char *subnet)
{
	struct caller who = c.me;
	struct instance_run_args args = {
		.min_count = 1, .max_count = 1, .subnet_id = subnet, .host = host};
	const struct instance *n;
	size_t count;

	who.is_operator = true; /* who may name the host */
	return cluster_end_change(
		&c, instance_run(cluster_tx(&c), &who, &args, &n, &count, &c.refusal));
}

/* Between peered networks packets may grow by more than inside one: both networks' MTU leaves room,
 * from the first two hosts for which it is so to the last. */
/* requirement: TOPO-1, PKT-3, NEG-2 */
static void test_mtu_leaves_room_for_peers(void **state)
{
	enum { INSIDE = 1500 - 70, BETWEEN = INSIDE - 16 }; /* vxlan, geneve/2 */
	struct change *change;
	char id[ID_TEXT_SIZE];

	for (size_t i = 0; i < 3; i++)
		assert_ok(report(i, FORMATS_TUNNEL));
	change_free(run_on("h1", c.subnet));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);
	assert_ok(ask(c.vpc, other_vpc, id));
	assert_ok(accept(&c.me, id));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);

	/* which the first has nothing in common with */
	assert_ok(report(2, FORMAT_BIT(FORMAT_SIIT_2)));
	change_free(run_on("h3", other_subnet));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);
	/* undone, and done again */
	change = run_on("h2", other_subnet);
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, BETWEEN);
	change_undo(change);
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);
	change_free(run_on("h2", other_subnet));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, BETWEEN);
	assert_int_equal(cluster_vpc(&c, other_vpc)->mtu, BETWEEN);
	change = cluster_end_change(&c, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);
	change_undo(change);
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, BETWEEN);

	assert_ok(report(1, FORMATS_TUNNEL | FORMAT_BIT(FORMAT_SIIT_2)));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, BETWEEN);
	assert_ok(report(0, FORMATS_TUNNEL | FORMAT_BIT(FORMAT_SIIT_2)));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, 1500 - 20);
	assert_ok(report(0, FORMATS_TUNNEL));
	assert_int_equal(cluster_vpc(&c, other_vpc)->mtu, BETWEEN);
	assert_ok(cluster_end(&c, peering_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, INSIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tags_of_both_sides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_accepts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_may_know, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_hosts_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_tunnels_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mtu_leaves_room_for_peers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
