/* SPDX-License-Identifier: Apache-2.0 */
/* What groups and ACLs say about a packet, who is told of a rule, and which mappings change with a
 * group. */
#include "model/policy.h"

#include <string.h>

#include "model/group_rule.h"
#include "model/group_set.h"
#include "model/mapping.h"
#include "model/network_acl.h"
#include "model/plan.h"
#include "model/security_group.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char other_subnet[ID_TEXT_SIZE], web[ID_TEXT_SIZE], acl[ID_TEXT_SIZE];

static void make_group(const char *name, char ret[static ID_TEXT_SIZE])
{
	struct security_group_create_args args = {name, "d", c.vpc, NULL, 0};
	const struct security_group *g;
	int r = security_group_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);

	assert_int_equal(r, 0);
	object_id_text(&g->o, ret);
	cluster_end(&c, r);
}

static int setup(void **state)
{
	struct network_acl_create_args args = {.vpc_id = c.vpc};
	const struct network_acl *a;
	int r;

	cluster_init_network(&c, 3);
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other_subnet);
	make_group("web", web);
	r = network_acl_create(cluster_tx(&c), &c.me, &args, &a, &c.refusal);
	assert_int_equal(r, 0);
	object_id_text(&a->o, acl);
	cluster_end(&c, r);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct interface *node(const char *subnet, const char *ip, const char *group)
{
	struct instance_run_args args = {.min_count = 1,
					 .max_count = 1,
					 .subnet_id = subnet,
					 .private_ip = ip,
					 .groups = &group,
					 .n_groups = !!group};
	char id[ID_TEXT_SIZE];
	const struct instance *n;
	size_t count;
	int r = instance_run(cluster_tx(&c), &c.me, &args, &n, &count, &c.refusal);

	assert_int_equal(r, 0);
	object_id_text(&n->o, id);
	cluster_end(&c, r);
	return cluster_interface_of(&c, id);
}

static void allow(const char *group, const char *protocol, int32_t port, const char *cidr,
		  const char *peer)
{
	struct rule_args args = {
		.protocol = protocol, .from = &port, .to = &port, .cidr = cidr, .group_id = peer};
	const struct group_rule *made;

	assert_int_equal(
		cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, false, &args, 1,
						     NULL, 0, &made, &c.refusal)),
		0);
}

/* In the order in which a packet from one node to another, and its answer, meet them. */
enum step { OUT_GROUPS, OUT_ACL, IN_ACL, IN_GROUPS, ANSWER_OUT_ACL, ANSWER_IN_ACL, STEPS };

struct verdict {
	bool allowed;
	enum step step; /* not allowed: the first that refused */
	struct policy_decision steps[STEPS];
};

static struct policy_decision groups(const struct interface *i, const struct interface *other,
				     bool egress, const struct policy_packet *p)
{
	struct policy_decision d = {.allowed = true};

	if (i)
		assert_ok(policy_ask_groups(c.m, i, other, egress, p, &d));
	return d;
}

static struct policy_decision acl_of(const struct interface *i, const struct interface *other,
				     bool egress, const struct policy_packet *p)
{
	struct policy_decision d = {.allowed = true};

	if (i && (!other || other->subnet != i->subnet))
		assert_ok(policy_ask_acl(c.m, i, egress, p, &d));
	return d;
}

static struct verdict ask(const struct interface *from, const struct interface *to,
			  uint32_t protocol, uint16_t port)
{
	struct policy_packet p = {.protocol = protocol, .src_port = 40000, .dst_port = port};
	struct policy_packet answer;
	struct verdict v = {.allowed = true};

	p.src = from ? from->addrs[0].addr : ipaddr_from_v4(0xc0000201);
	p.dst = to ? to->addrs[0].addr : ipaddr_from_v4(0xc0000201);
	answer = policy_answer(&p);
	v.steps[OUT_GROUPS] = groups(from, to, true, &p);
	v.steps[OUT_ACL] = acl_of(from, to, true, &p);
	v.steps[IN_ACL] = acl_of(to, from, false, &p);
	v.steps[IN_GROUPS] = groups(to, from, false, &p);
	v.steps[ANSWER_OUT_ACL] = acl_of(to, from, true, &answer);
	v.steps[ANSWER_IN_ACL] = acl_of(from, to, false, &answer);
	for (enum step s = 0; s < STEPS && v.allowed; s++) {
		v.allowed = v.steps[s].allowed;
		v.step = s;
	}
	return v;
}

/* requirement: NIC-6 */
static void test_groups(void **state)
{
	const struct interface *a = node(c.subnet, "10.0.0.10", NULL);
	const struct interface *b = node(c.subnet, "10.0.0.11", NULL);
	const struct interface *w = node(c.subnet, "10.0.0.12", web);
	struct verdict v;

	/* the default group lets its members reach each other and everybody */
	assert_true(ask(a, b, TRAFFIC_TCP, 80).allowed);
	assert_true(ask(a, NULL, TRAFFIC_UDP, 53).allowed);
	v = ask(a, w, TRAFFIC_TCP, 80);
	assert_false(v.allowed);
	assert_int_equal(v.step, IN_GROUPS);
	assert_true(v.steps[OUT_GROUPS].allowed && v.steps[OUT_GROUPS].rule);
	assert_false(v.steps[OUT_ACL].asked); /* one subnet */
	assert_false(ask(w, a, TRAFFIC_TCP, 80).allowed);
	assert_false(ask(NULL, w, TRAFFIC_TCP, 80).allowed);
	allow(web, "tcp", 80, "10.0.0.0/24", NULL);
	v = ask(a, w, TRAFFIC_TCP, 80);
	assert_true(v.allowed);
	assert_int_equal(v.steps[IN_GROUPS].group, w->groups[0].id);
	assert_false(ask(a, w, TRAFFIC_TCP, 81).allowed);
	assert_false(ask(a, w, TRAFFIC_UDP, 80).allowed);
	assert_false(ask(NULL, w, TRAFFIC_TCP, 80).allowed);
	allow(web, "-1", 0, NULL, web);
	assert_true(ask(node(c.subnet, "10.0.0.13", web), w, TRAFFIC_UDP, 9).allowed);
	assert_false(ask(a, w, TRAFFIC_UDP, 9).allowed);
}

static void entry(uint32_t rule, bool egress, const char *action, int32_t from, int32_t to)
{
	struct acl_entry_args args = {.acl_id = acl,
				      .rule = rule,
				      .egress = egress,
				      .protocol = "6",
				      .action = action,
				      .cidr = "0.0.0.0/0",
				      .from = &from,
				      .to = &to};

	assert_int_equal(cluster_end(&c, network_acl_add(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 0);
}

static void give_acl(const char *subnet)
{
	char association[ID_TEXT_SIZE];
	const struct subnet *s;
	uint64_t id;

	s = cluster_subnet(&c, subnet);
	id_text_prefixed(ID_PREFIX_ACL_ASSOCIATION, s->acl_association, association);
	assert_int_equal(cluster_end(&c, network_acl_associate(cluster_tx(&c), &c.me, association,
							       acl, &id, &c.refusal)),
			 0);
}

/* requirement: NIC-6 */
static void test_acls(void **state)
{
	const struct interface *a = node(c.subnet, "10.0.0.10", NULL);
	const struct interface *near = node(c.subnet, "10.0.0.11", NULL);
	const struct interface *far = node(other_subnet, "10.0.1.10", NULL);
	struct verdict v = ask(a, far, TRAFFIC_TCP, 80);

	assert_true(v.allowed);
	assert_int_equal(v.steps[IN_ACL].entry, 100);
	give_acl(other_subnet);
	v = ask(a, far, TRAFFIC_TCP, 80);
	assert_false(v.allowed);
	assert_int_equal(v.step, IN_ACL);
	assert_int_equal(v.steps[IN_ACL].entry, ACL_RULE_LAST);
	assert_true(ask(a, near, TRAFFIC_TCP, 80).allowed); /* crosses no border */
	/* stateless: the answer has to be allowed, too */
	entry(20, false, "allow", 80, 80);
	v = ask(a, far, TRAFFIC_TCP, 80);
	assert_false(v.allowed);
	assert_int_equal(v.step, ANSWER_OUT_ACL);
	entry(20, true, "allow", 32768, 65535);
	v = ask(a, far, TRAFFIC_TCP, 80);
	assert_true(v.allowed);
	assert_int_equal(v.steps[IN_ACL].entry, 20);
	/* the first that matches decides */
	entry(10, false, "deny", 0, 100);
	v = ask(a, far, TRAFFIC_TCP, 80);
	assert_false(v.allowed);
	assert_int_equal(v.steps[IN_ACL].entry, 10);
}

/* ---- who is told ---- */

struct told {
	size_t n[PLAN_KINDS], removed[PLAN_KINDS];
	size_t rules;
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	t->n[item->kind] += !item->remove;
	t->removed[item->kind] += item->remove;
	if (item->kind == PLAN_GROUP && !item->remove)
		t->rules = item->group.n_rules;
	return 0;
}

static struct told told_by(int r)
{
	struct change *change = cluster_end_change(&c, r);
	struct told t = {.n = {0}};

	assert_non_null(change);
	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	return t;
}

static size_t count_items(const struct told *t)
{
	size_t n = 0;

	for (size_t k = 0; k < PLAN_KINDS; k++)
		n += t->n[k] + t->removed[k];
	return n;
}

/* Many rules of one request are one item for each host with a member, however many members it has.
 * requirement: NIC-6 */
static void test_a_rule_is_told_once_to_each_host(void **state)
{
	struct rule_args rules[20];
	const struct group_rule *made[20];
	int32_t ports[20];
	struct told t;

	for (int i = 0; i < 12; i++)
		node(c.subnet, NULL, i < 6 ? web : NULL);
	for (int i = 0; i < 20; i++) {
		ports[i] = i + 1;
		rules[i] = (struct rule_args){.protocol = "tcp",
					      .from = &ports[i],
					      .to = &ports[i],
					      .cidr = "10.0.0.0/8"};
	}
	t = told_by(group_rule_authorize(cluster_tx(&c), &c.me, web, false, rules, 20, NULL, 0,
					 made, &c.refusal));
	assert_int_equal(t.n[PLAN_GROUP], 3);
	assert_int_equal(count_items(&t), 3);
	assert_int_equal(t.rules, 22); /* and the egress rule, with its link-local twin */
	/* a description is nothing to hosts */
	rules[0].description = "said";
	t = told_by(group_rule_describe(cluster_tx(&c), &c.me, web, false, rules, 1, &c.refusal));
	assert_int_equal(count_items(&t), 0);
}

static void note_mapping(void *data, const struct mapping *now)
{
	struct mapping *ret = data;

	assert_non_null(now->groups);
	if (ipaddr_is_v4(&now->addr))
		*ret = *now;
}

/* requirement: NIC-6, MAP-3 */
static void test_mappings_carry_groups(void **state)
{
	const struct interface *i = node(c.subnet, "10.0.0.10", NULL);
	const struct ipaddr addr = i->addrs[0].addr;
	const struct mapping *m = mapping_find(model_mappings(c.m), i->vni, &addr);
	uint64_t before = m->revision;
	uint32_t number = i->groups[0].number, vni = i->vni;
	char id[ID_TEXT_SIZE];
	const char *groups[] = {web};
	struct interface_modify_args args = {
		.interface_id = object_id_text(&i->o, id), .groups = groups, .n_groups = 1};
	struct mapping told = {.vni = 0};
	struct change *change;
	struct told t = {.n = {0}};

	assert_int_equal(m->groups->n, 1);
	assert_int_equal(m->groups->numbers[0], number);
	assert_int_equal(group_set_count(c.m), 1);
	change = cluster_end_change(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal));
	plan_mappings(c.m, change, note_mapping, &told);
	assert_int_equal(told.vni, vni);
	assert_true(told.revision > before);
	assert_int_not_equal(told.groups->numbers[0], number);
	assert_ok(plan_change(c.m, change, note, &t));
	assert_int_equal(t.n[PLAN_GROUP], 1);
	assert_int_equal(t.removed[PLAN_GROUP], 1);
	assert_int_equal(t.n[PLAN_INTERFACE], 1);
	assert_int_equal(group_set_count(c.m), 2); /* the old one may be needed for undoing */
	change_undo(change);
	m = mapping_find(model_mappings(c.m), vni, &addr);
	assert_int_equal(m->revision, before);
	assert_int_equal(m->groups->numbers[0], number);
	assert_int_equal(group_set_count(c.m), 1);
	/* what a holder has is kept for it */
	group_set_hold(c.m, m->groups);
	told.groups = m->groups;
	cluster_end(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal));
	assert_int_equal(told.groups->numbers[0], number);
	group_set_release(c.m, told.groups);
	tx_abort(cluster_tx(&c));
	assert_int_equal(group_set_count(c.m), 1);
}

/* requirement: NIC-6 */
static void test_limits_of_an_account(void **state)
{
	uint32_t two = 2, many = 17, five = 5;
	struct account_limit_args args = {.account_id = ACCOUNT_TEXT, .group_rules = &two};
	struct rule_args rule = {.protocol = "-1", .cidr = "10.0.0.0/8"};
	const struct group_rule *made;
	const struct account *a;

	assert_int_equal(
		cluster_end(&c, account_limit(cluster_tx(&c), &c.me, &args, &a, &c.refusal)),
		MODEL_E_NOT_PERMITTED);
	assert_int_equal(
		cluster_end(&c, account_limit(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)), 0);
	allow(web, "tcp", 1, "10.0.0.0/8", NULL);
	allow(web, "tcp", 2, "10.0.0.0/8", NULL);
	assert_int_equal(
		cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, web, false, &rule, 1,
						     NULL, 0, &made, &c.refusal)),
		MODEL_E_RULE_LIMIT);
	args = (struct account_limit_args){
		.account_id = ACCOUNT_TEXT, .group_rules = &five, .interface_groups = &many};
	assert_int_equal(
		cluster_end(&c, account_limit(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)),
		MODEL_E_VALUE);
	assert_int_equal(account_limits(c.m, ACCOUNT_ID).group_rules, 2);
	assert_int_equal(account_limits(c.m, ACCOUNT_ID).interface_groups, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups),
		TEST(test_acls),
		TEST(test_a_rule_is_told_once_to_each_host),
		TEST(test_mappings_carry_groups),
		TEST(test_limits_of_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
