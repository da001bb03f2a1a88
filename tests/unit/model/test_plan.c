/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts are told: each item's content, and that a change tells no more than it must. */
#include "model/plan.h"

#include <string.h>

#include "model/mapping.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

/* How much of what was told, to whom, and the last item of each kind. */
struct told {
	size_t n[PLAN_KINDS];
	size_t removed[PLAN_KINDS];
	uint32_t host[PLAN_KINDS];
	struct plan_item last[PLAN_KINDS];
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	t->n[item->kind] += !item->remove;
	t->removed[item->kind] += item->remove;
	t->host[item->kind] = host;
	t->last[item->kind] = *item;
	return 0;
}

static struct told full(uint32_t host)
{
	struct told t = {.n = {0}};

	assert_ok(plan_full(c.m, host, note, &t));
	return t;
}

/* Commits an operation's transaction and says what hosts are told. */
static struct told told_by(int r)
{
	struct told t = {.n = {0}};
	struct change *change = cluster_end_change(&c, r);

	if (change)
		assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	return t;
}

static struct told told_by_run(const struct instance **ret)
{
	struct instance_run_args args = {.min_count = 1, .max_count = 1, .subnet_id = c.subnet};
	size_t n;

	return told_by(instance_run(cluster_tx(&c), &c.me, &args, ret, &n, &c.refusal));
}

static void check_addr(const struct ipaddr *a, const char *text)
{
	char buf[IPADDR_TEXT_SIZE];

	assert_string_equal(ipaddr_text(a, buf), text);
}

static void check_prefix(const struct prefix *p, const char *text)
{
	char buf[PREFIX_TEXT_SIZE];

	assert_string_equal(prefix_text(p, buf), text);
}

/* requirement: NEG-2 */
static void test_peers(void **state)
{
	struct told t = full(c.hosts[0]);
	const struct plan_peer *p = &t.last[PLAN_PEER].peer;

	assert_int_equal(t.n[PLAN_HOST], 1);
	assert_int_equal(t.last[PLAN_HOST].host.number, c.hosts[0]);
	assert_string_equal(t.last[PLAN_HOST].host.name, "h1");
	check_prefix(&t.last[PLAN_HOST].host.locators.siit2, "fd56:6961:8000:100::/56");
	assert_int_equal(t.n[PLAN_PEER], 2);
	assert_int_equal(p->number, c.hosts[2]);
	assert_int_equal(p->choice.send, FORMAT_SIIT_2);
	assert_int_equal(choice_formats(&p->choice),
			 FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1));
	assert_int_equal(p->choice.path_mtu, 1500);
	check_addr(&p->locators.v6, "fd00::3");
	assert_int_equal(t.n[PLAN_SUBNET] + t.n[PLAN_INSTANCE] + t.n[PLAN_INTERFACE], 0);
	assert_error(plan_full(c.m, 999, note, &t), ENOENT);
}

/* requirement: PKT-7 */
static void test_items_of_a_node(void **state)
{
	const struct instance *n;
	struct told t = told_by_run(&n);
	const struct plan_interface *i = &t.last[PLAN_INTERFACE].interface;
	const struct plan_subnet *s = &t.last[PLAN_SUBNET].subnet;
	char text[ID_TEXT_SIZE];

	assert_int_equal(t.n[PLAN_INSTANCE], 1);
	assert_int_equal(t.host[PLAN_INSTANCE], n->host);
	assert_string_equal(t.last[PLAN_INSTANCE].instance.id, object_id_text(&n->o, text));
	assert_string_equal(t.last[PLAN_INSTANCE].instance.driver, "netns");
	assert_string_equal(t.last[PLAN_INSTANCE].instance.name, "ip-10-0-0-4");
	assert_true(t.last[PLAN_INSTANCE].instance.running);
	assert_int_equal(t.last[PLAN_INSTANCE].instance.generation, 1);

	assert_int_equal(t.n[PLAN_SUBNET], 1);
	assert_int_equal(s->vni, 1);
	check_prefix(&s->prefix, "10.0.0.0/24");
	check_addr(&s->router, "10.0.0.1");
	check_addr(&s->resolver, "10.0.0.2");
	check_prefix(&s->network, "10.0.0.0/16");
	assert_string_equal(s->domain, "ec2.internal");
	assert_int_equal(s->router_mac.b[0] & 3, 2); /* local, one station's */

	assert_int_equal(t.n[PLAN_INTERFACE], 2); /* told again when the network got its MTU */
	assert_string_equal(i->instance_id, text);
	assert_int_equal(i->mtu, 1460);
	assert_int_equal(i->n_addrs, 2);
	check_addr(&i->addrs[0], "10.0.0.4");
	assert_int_equal(i->addrs[1].b[0], 0xfe);
	assert_int_equal(i->addrs[1].b[1], 0x80);
	assert_int_equal(i->addrs[1].b[8], i->mac.b[0] ^ 2);
	assert_int_equal(i->addrs[1].b[11], 0xff);
	assert_int_equal(i->addrs[1].b[15], i->mac.b[5]);
	assert_string_equal(i->host_name, "ip-10-0-0-4");
	assert_true(i->dns);
	check_prefix(&i->subnet, "10.0.0.0/24");
}

/* requirement: PKT-8 */
static void test_dns_support_is_told(void **state)
{
	const bool no = false;
	struct vpc_modify_args args = {.vpc_id = c.vpc, .dns_support = &no};
	const struct instance *n;
	struct told t;

	told_by_run(&n);
	t = told_by(vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal));
	assert_int_equal(t.n[PLAN_INTERFACE], 1);
	assert_false(t.last[PLAN_INTERFACE].interface.dns);
}

/* requirement: PKT-7 */
static void test_a_new_subnet_is_told_to_those_who_carry_its_network(void **state)
{
	struct subnet_create_args args = {.vpc_id = c.vpc, .cidr = "10.0.5.0/24"};
	const struct subnet *s;
	const struct instance *n;
	struct told t;
	uint32_t host;
	char id[ID_TEXT_SIZE];

	t = told_by(subnet_create(cluster_tx(&c), &c.me, &args, &s, &c.refusal));
	assert_int_equal(t.n[PLAN_SUBNET], 0);
	t = told_by_run(&n);
	host = n->host;
	assert_int_equal(t.n[PLAN_SUBNET], 2); /* both of the network */
	args.cidr = "10.0.6.0/24";
	t = told_by(subnet_create(cluster_tx(&c), &c.me, &args, &s, &c.refusal));
	object_id_text(&s->o, id);
	assert_int_equal(t.n[PLAN_SUBNET], 1);
	assert_int_equal(t.host[PLAN_SUBNET], host);
	t = told_by(subnet_delete(cluster_tx(&c), &c.me, id, &c.refusal));
	assert_int_equal(t.removed[PLAN_SUBNET], 1);
	assert_int_equal(t.host[PLAN_SUBNET], host);
}

/* requirement: MAP-3 */
static void test_the_price_of_a_change_does_not_grow(void **state)
{
	const struct instance *n;
	struct told first = {.n = {0}}, t;

	for (int i = 0; i < 60; i++) {
		t = told_by_run(&n);
		if (i == 3) /* every host carries the network now */
			first = t;
		if (i > 3) {
			assert_memory_equal(t.n, first.n, sizeof(t.n));
			assert_int_equal(t.n[PLAN_INTERFACE] + t.n[PLAN_INSTANCE], 2);
			assert_int_equal(t.n[PLAN_SUBNET] + t.n[PLAN_PEER], 0);
		}
	}
	/* a confirmation changes nothing that hosts have */
	t = told_by(host_acknowledge(cluster_tx(&c), c.hosts[0], model_revision(c.m), NULL, 0,
				     &c.refusal));
	for (enum plan_kind k = PLAN_HOST; k <= PLAN_INTERFACE; k++)
		assert_int_equal(t.n[k] + t.removed[k], 0);
}

/* requirement: NEG-1 */
static void test_abilities_are_told_to_all(void **state)
{
	struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_VXLAN_1), .substrate_mtu = 1400, .probed_ms = 1};
	struct told t = told_by(host_report(cluster_tx(&c), c.hosts[0], &can, &c.refusal));

	/* of itself it is told where it is and what it is called */
	assert_int_equal(t.n[PLAN_HOST], 0);
	/* both ends of both pairs, once each, though each direction shifts, too */
	assert_int_equal(t.n[PLAN_PEER], 4);
	assert_int_equal(t.last[PLAN_PEER].peer.choice.send, FORMAT_SIIT_2);
	t = told_by(host_acknowledge(cluster_tx(&c), c.hosts[0], model_revision(c.m), NULL, 0,
				     &c.refusal));
	/* the other hosts, which may send it something else now: nothing is new for itself */
	assert_int_equal(t.n[PLAN_PEER], 2);
	t = told_by(host_acknowledge(cluster_tx(&c), c.hosts[2], model_revision(c.m), NULL, 0,
				     &c.refusal));
	assert_int_equal(t.last[PLAN_PEER].peer.choice.send, FORMAT_VXLAN_1);
	assert_true(t.last[PLAN_PEER].peer.choice.outer_v6);
	assert_int_equal(t.last[PLAN_PEER].peer.choice.path_mtu, 1400);
}

/* requirement: NEG-7 */
static void test_choice_of_a_pair(void **state)
{
	struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_IPIP6_1), .substrate_mtu = 1500, .probed_ms = 1};
	struct choice choice;

	told_by(host_report(cluster_tx(&c), c.hosts[0], &can, &c.refusal));
	pair_choice(c.m, host_by_number(c.m, c.hosts[0]), host_by_number(c.m, c.hosts[1]),
		    &pair_all, &choice);
	assert_int_equal(choice.send, FORMAT_NONE);
	assert_non_null(strstr(choice.reason, "h1 has nothing: its report has ipip6 without siit"));
}

static int refuse_all(void *data, uint32_t host, const struct plan_item *item)
{
	return -ENOSPC;
}

static void test_a_sink_may_end_it(void **state)
{
	assert_error(plan_full(c.m, c.hosts[0], refuse_all, NULL), ENOSPC);
}

struct moved {
	size_t n; /* of IPv4 */
	struct mapping last;
	size_t n_link_local;
	struct mapping last_link_local;
};

static void note_mapping(void *data, const struct mapping *now)
{
	struct moved *m = data;

	if (!ipaddr_is_v4(&now->addr)) {
		m->n_link_local++;
		m->last_link_local = *now;
		return;
	}
	m->n++;
	m->last = *now;
}

static struct moved moved_by(int r)
{
	struct moved m = {0};
	struct change *change = cluster_end_change(&c, r);

	plan_mappings(c.m, change, note_mapping, &m);
	change_free(change);
	return m;
}

/* requirement: MAP-3 */
static void test_mappings_that_move(void **state)
{
	struct instance_run_args args = {.min_count = 1, .max_count = 1, .subnet_id = c.subnet};
	struct interface_modify_args modify = {.description = "x"};
	struct interface_assign_args assign = {.allow_reassignment = true, .n_addrs = 1};
	char id[ID_TEXT_SIZE], a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	const char *ids = id, *addr = "10.0.0.77";
	const struct interface *i;
	const struct instance *n;
	struct instance_transition t;
	struct moved m;
	uint32_t host;
	size_t count;

	m = moved_by(instance_run(cluster_tx(&c), &c.me, &args, &n, &count, &c.refusal));
	object_id_text(&n->o, id);
	host = n->host;
	assert_int_equal(m.n, 1);
	assert_int_equal(m.last.host, host);
	check_addr(&m.last.addr, "10.0.0.4");
	assert_int_equal(m.n_link_local, 1);
	assert_int_equal(m.last_link_local.host, host);
	object_id_text(&cluster_interface_of(&c, id)->o, a);
	modify.interface_id = a;
	m = moved_by(interface_modify(cluster_tx(&c), &c.me, &modify, &c.refusal));
	assert_int_equal(m.n, 0);

	/* an address that goes from one node to another: told where it is now */
	assert_ok(cluster_run(&c, c.subnet, other));
	object_id_text(&cluster_interface_of(&c, other)->o, b);
	assign.addrs = &addr;
	assign.interface_id = a;
	m = moved_by(interface_assign(cluster_tx(&c), &c.me, &assign, &i, &count, &c.refusal));
	assert_int_equal(m.n, 1);
	assign.interface_id = b;
	m = moved_by(interface_assign(cluster_tx(&c), &c.me, &assign, &i, &count, &c.refusal));
	assert_int_equal(m.n, 0); /* not before the first node has lost it */
	m = moved_by(
		host_acknowledge(cluster_tx(&c), host, model_revision(c.m), NULL, 0, &c.refusal));
	assert_int_equal(m.n, 1);
	assert_int_equal(m.last.host, cluster_instance(&c, other)->host);
	assert_true(m.last.revision == model_revision(c.m));

	cluster_acknowledge(&c);
	m = moved_by(instance_stop(cluster_tx(&c), &c.me, &ids, 1, &t, &c.refusal));
	assert_int_equal(m.n, 1);
	assert_int_equal(m.last.host, 0);
	assert_int_equal(m.n_link_local, 1);
	assert_int_equal(m.last_link_local.host, 0);
	assert_true(m.last.revision == model_revision(c.m));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peers),
		TEST(test_items_of_a_node),
		TEST(test_dns_support_is_told),
		TEST(test_a_new_subnet_is_told_to_those_who_carry_its_network),
		TEST(test_the_price_of_a_change_does_not_grow),
		TEST(test_abilities_are_told_to_all),
		TEST(test_choice_of_a_pair),
		TEST(test_a_sink_may_end_it),
		TEST(test_mappings_that_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
