/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choices under random histories: policies of administrators and two customers come, change and go,
 * environments, labels, reports and keys change, hosts apply and acknowledge when they like.
 *
 * All the while what a node's host sends is what the other node's host takes, also while it is on
 * its way; and whenever everything has settled, both hosts have been told what the plain twin says,
 * for each two nodes and each direction.
 *
 *	network 1 (10.0/16): on h1 .. h5      \ peered
 *	network 2 (10.1/16): on h1, h3, h4    /        \ peered
 *	network 3 (10.2/16), another account's: on h2, h5
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/account.h"
#include "model/choice_pass.h"
#include "model/choice_progress.h"
#include "model/choice_policy.h"
#include "model/choice_rules.h"
#include "model/host_key.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/plan.h"
#include "model/tag.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/dice.h"
#include "tests/unit/model/twin_choice.h"

enum {
	ROUNDS = 50, /* in each of which everything settles once */
	STEPS = 25,
	HOSTS = 5,
	NETWORKS = 3,
	NODES = 10,
	POLICIES = 4, /* of each who makes them */
	VARIANTS = 96,
	FLIGHTS = 16,
	ALL_FEATURES = FEATURE_BIT(FEATURE_MAX) - 1,
	ALL_FORMATS = (1 << FORMAT_MAX) - 1 - FORMAT_BIT(FORMAT_NONE),
};

static struct cluster c;
static uint64_t this_seed;
static size_t n_steps, n_passes, n_report_steps;
static struct caller customers[2];
static char networks[NETWORKS][ID_TEXT_SIZE];

static const struct {
	const char *name, *v4, *v6, *aliases;
	uint32_t rack;
} host_rows[HOSTS] = {
	{"h1", "192.0.2.1", "fd00::1", "198.18.1.0/28", 1},
	{"h2", "192.0.2.2", "fd00::2", "198.18.2.0/28", 2},
	{"h3", NULL, "fd00::3", NULL, 3},
	{"h4", "192.0.2.4", NULL, "198.18.4.0/28", 4},
	{"h5", NULL, "fd00::5", NULL, 200}, /* does not fit siit/2 */
};
static const struct {
	uint32_t network, host;
} node_rows[NODES] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4},
		      {1, 0}, {1, 2}, {1, 3}, {2, 1}, {2, 4}};
static struct node {
	uint64_t interface;
	char id[ID_TEXT_SIZE];
	struct ipaddr addr;
	uint32_t vni;
} nodes[NODES];

/* What one host was told of another. */
struct told {
	struct choice choice;
	size_t n;
	struct plan_variant variants[VARIANTS];
	struct choice choices[VARIANTS];
};
static struct told applied[HOSTS][HOSTS], current[HOSTS][HOSTS]; /* by the host; by the manager */
static uint64_t applied_revision[HOSTS];

/* What was sent lately from a node to another. */
struct flight {
	uint32_t formats, features, epoch;
	uint64_t last_ms;
	uint64_t revision; /* that its host had applied then */
};
static struct {
	size_t n;
	struct flight v[FLIGHTS];
} flights[NODES][NODES];
/* The revision by which a node was to send to another, when it was to send nothing before and
 * nothing was on its way: that needs no steps, for there was nothing to lose. */
static uint64_t begun[NODES][NODES];
static bool is_silent[NODES][NODES];

static const struct host *host(size_t i)
{
	return host_by_number(c.m, c.hosts[i]);
}

/* ---- a cloud ---- */

static void add_host(size_t i)
{
	struct host_add_args args = {.name = host_rows[i].name,
				     .v4 = host_rows[i].v4,
				     .v6 = host_rows[i].v6,
				     .aliases = host_rows[i].aliases,
				     .rack = &host_rows[i].rack};
	struct capabilities can = {.formats = ALL_FORMATS,
				   .features = ALL_FEATURES,
				   .substrate_mtu = 1500,
				   .probed_ms = 1};
	const struct host *h;

	assert_ok(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)));
	c.hosts[i] = h->number;
	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), c.hosts[i], &can, &c.refusal)));
	host_set_connected(c.m, c.hosts[i], true);
}

static void make_networks(char subnets[static NETWORKS][ID_TEXT_SIZE])
{
	for (size_t i = 0; i < NETWORKS; i++) {
		char cidr[32];
		struct vpc_create_args vpc_args = {.cidr = cidr};
		struct subnet_create_args subnet_args = {.vpc_id = networks[i], .cidr = cidr};
		const struct caller *who = &customers[i == 2];
		const struct vpc *v;
		const struct subnet *s;

		snprintf(cidr, sizeof(cidr), "10.%zu.0.0/16", i);
		assert_ok(cluster_end(&c,
				      vpc_create(cluster_tx(&c), who, &vpc_args, &v, &c.refusal)));
		object_id_text(&v->o, networks[i]);
		assert_ok(cluster_end(
			&c, subnet_create(cluster_tx(&c), who, &subnet_args, &s, &c.refusal)));
		object_id_text(&s->o, subnets[i]);
	}
}

static void peer(size_t a, size_t b)
{
	char account[32], id[ID_TEXT_SIZE];
	const struct caller *one = &customers[a == 2], *other = &customers[b == 2];
	struct peering_create_args args = {
		.vpc_id = networks[a], .peer_vpc_id = networks[b], .peer_account = account};
	const struct peering *p;

	snprintf(account, sizeof(account), "%012llu", (unsigned long long)other->account);
	assert_ok(cluster_end(&c, peering_create(cluster_tx(&c), one, &args, &p, &c.refusal)));
	object_id_text(&p->o, id);
	assert_ok(cluster_end(&c, peering_accept(cluster_tx(&c), other, id, &p, &c.refusal)));
}

static void run_node(size_t i, const char *subnet)
{
	struct caller who = customers[node_rows[i].network == 2];
	struct instance_run_args args = {.min_count = 1,
					 .max_count = 1,
					 .subnet_id = subnet,
					 .host = host_rows[node_rows[i].host].name};
	const struct interface *nic;
	const struct instance *n;
	char id[ID_TEXT_SIZE];
	size_t count;

	who.is_operator = true; /* who may name the host */
	assert_ok(
		cluster_end(&c, instance_run(cluster_tx(&c), &who, &args, &n, &count, &c.refusal)));
	object_id_text(&n->o, id);
	nic = cluster_interface_of(&c, id);
	nodes[i] =
		(struct node){.interface = nic->o.id, .addr = nic->addrs[0].addr, .vni = nic->vni};
	object_id_text(&nic->o, nodes[i].id);
}

static void apply(size_t i);
static void acknowledge(size_t i);
static void settle(void);

/* 'passes': policies are applied in passes, a few directions in each step. */
static void begin(uint64_t from, bool passes)
{
	struct account_create_args args = {.id = "999999999999", .name = "another"};
	char subnets[NETWORKS][ID_TEXT_SIZE];
	const struct account *a;

	this_seed = from;
	n_steps = 0;
	dice_begin(from);
	memset(flights, 0, sizeof(flights));
	memset(begun, 0, sizeof(begun));
	cluster_init_passes(&c, 0, passes);
	assert_ok(cluster_end(&c, account_create(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)));
	customers[0] = c.me;
	customers[1] = (struct caller){.account = a->o.id};
	for (size_t i = 0; i < HOSTS; i++)
		add_host(i);
	make_networks(subnets);
	for (size_t i = 0; i < NODES; i++)
		run_node(i, subnets[node_rows[i].network]);
	peer(0, 1);
	peer(1, 2);
	settle();
}

/* ---- what hosts are told ---- */

struct taking {
	size_t self;
	struct told (*into)[HOSTS];
};

static int take(void *data, uint32_t number, const struct plan_item *item)
{
	const struct taking *taking = data;
	size_t self = taking->self, peer = 0;
	struct told *t;

	if (item->kind != PLAN_PEER)
		return 0;
	while (peer < HOSTS && c.hosts[peer] != item->peer.number)
		peer++;
	assert_true(peer < HOSTS && number == c.hosts[self]);
	t = &taking->into[self][peer];
	assert_true(item->peer.n_variants <= VARIANTS);
	t->choice = item->peer.choice;
	t->n = item->peer.n_variants;
	for (size_t i = 0; i < t->n; i++) {
		t->variants[i] = item->peer.variants[i];
		t->choices[i] = *item->peer.variants[i].choice;
	}
	return 0;
}

static void apply(size_t i)
{
	assert_ok(plan_full(c.m, c.hosts[i], take, &(struct taking){i, applied}));
	applied_revision[i] = model_revision(c.m);
}

static void acknowledge(size_t i)
{
	if (applied_revision[i])
		assert_ok(cluster_end(&c,
				      host_acknowledge(cluster_tx(&c), c.hosts[i],
						       applied_revision[i], NULL, 0, &c.refusal)));
}

static void pass_time(uint64_t ms)
{
	c.now_ms += ms;
	assert_ok(cluster_end(
		&c, pair_shift_tick(cluster_tx(&c), LIMIT_MODEL_SHIFTS_PER_TICK, &(uint32_t){0})));
}

/* What host of 'x' uses towards node 'y': of their addresses, else of their networks, else of the
 * two hosts. */
static const struct choice *look_up(const struct told told[HOSTS][HOSTS], size_t x, size_t y)
{
	const struct told *t = &told[node_rows[x].host][node_rows[y].host];

	for (size_t i = 0; i < t->n; i++) {
		const struct plan_variant *v = &t->variants[i];

		if (v->vni == nodes[x].vni && v->peer_vni == nodes[y].vni &&
		    ipaddr_equal(&v->addr, &nodes[x].addr) &&
		    ipaddr_equal(&v->peer_addr, &nodes[y].addr))
			return &t->choices[i];
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct plan_variant *v = &t->variants[i];

		if (v->vni == nodes[x].vni && v->peer_vni == nodes[y].vni &&
		    ipaddr_is_zero(&v->addr))
			return &t->choices[i];
	}
	return &t->choice;
}

/* They are on two hosts, in one network or in two that are peered. */
static bool can_talk(size_t x, size_t y)
{
	uint32_t a = node_rows[x].network, b = node_rows[y].network;
	bool peered = a == b || a + 1 == b || b + 1 == a;

	return peered && node_rows[x].host != node_rows[y].host;
}

/* ---- the promise ---- */

static bool takes(const struct choice *ch, uint32_t format, const struct flight *f)
{
	for (size_t i = 0; i < ch->n_accepts; i++)
		if (ch->accepts[i].formats & format && ch->accepts[i].features == f->features &&
		    (!f->features || ch->accepts[i].key.epoch == f->epoch))
			return true;
	/* what is sealed may be compressed or not, to one that infers */
	for (size_t i = 0; i < ch->n_accepts && ch->inferred && f->features; i++)
		if (ch->accepts[i].formats & format &&
		    ch->accepts[i].features & FEATURE_BIT(FEATURE_LZ4_1) &&
		    (ch->accepts[i].features & ~FEATURE_BIT(FEATURE_LZ4_1)) == f->features &&
		    (!f->features || ch->accepts[i].key.epoch == f->epoch))
			return true;
	return false;
}

/* What is said of two networks that are one choice with all that the hosts send: the programs never
 * use vxlan there. */
static uint32_t between(size_t x, size_t y, uint32_t formats)
{
	return nodes[x].vni == nodes[y].vni ? formats : formats & ~FORMAT_BIT(FORMAT_VXLAN_1);
}

static void send(size_t x, size_t y)
{
	const struct choice *ch = look_up(applied, x, y);
	struct flight f = {between(x, y, ch->send_formats), ch->send_features & FEATURES_PAYLOAD, 0,
			   c.now_ms, applied_revision[node_rows[x].host]};
	size_t i = 0;

	if (!f.formats)
		return;
	f.epoch = f.features ? ch->send_key.epoch : 0;
	while (i < flights[x][y].n &&
	       (flights[x][y].v[i].formats != f.formats ||
		flights[x][y].v[i].features != f.features || flights[x][y].v[i].epoch != f.epoch))
		i++;
	assert_true(i < FLIGHTS);
	flights[x][y].v[i] = f;
	if (i == flights[x][y].n)
		flights[x][y].n++;
}

static void arrive(size_t x, size_t y)
{
	const struct choice *ch = look_up(applied, y, x);
	size_t n = 0;

	for (size_t i = 0; i < flights[x][y].n; i++) {
		struct flight f = flights[x][y].v[i];

		if (c.now_ms - f.last_ms >= LIMIT_MODEL_SHIFT_GRACE_MS)
			continue; /* it has arrived long ago */
		flights[x][y].v[n++] = f;
		if (f.revision >= begun[x][y] && applied_revision[node_rows[y].host] < begun[x][y])
			continue;
		for (enum format format = FORMAT_NONE + 1; format < FORMAT_MAX; format++)
			if (f.formats & FORMAT_BIT(format) && !takes(ch, FORMAT_BIT(format), &f))
				fail_msg("seed %u step %zu: from node %zu to %zu, %s with features "
					 "%x, key %u: not taken (%zu "
					 "accepts, formats %x)",
					 (unsigned int)this_seed, n_steps, x, y,
					 format_name(format), f.features, f.epoch, ch->n_accepts,
					 choice_formats(ch));
	}
	flights[x][y].n = n;
}

static void note_beginnings(void)
{
	for (size_t i = 0; i < HOSTS; i++)
		assert_ok(plan_full(c.m, c.hosts[i], take, &(struct taking){i, current}));
	for (size_t x = 0; x < NODES; x++)
		for (size_t y = 0; y < NODES; y++) {
			const struct pair_class class = {nodes[x].vni, nodes[y].vni,
							 nodes[x].interface, nodes[y].interface};
			bool sends = look_up(current, x, y)->send != FORMAT_NONE;

			if (sends && is_silent[x][y])
				begun[x][y] = model_revision(c.m);
			is_silent[x][y] = !sends && !pair_shift_of(c.m, host(node_rows[x].host),
								   host(node_rows[y].host), &class);
		}
}

static void check_flights(void)
{
	note_beginnings();
	for (size_t x = 0; x < NODES; x++)
		for (size_t y = 0; y < NODES; y++)
			if (can_talk(x, y)) {
				send(x, y);
				arrive(x, y);
			}
}

/* ---- the twin ---- */

static struct twin_end end_of(size_t i)
{
	return (struct twin_end){host(node_rows[i].host), vpc_by_vni(c.m, nodes[i].vni),
				 nodes[i].interface};
}

static void check_policy(const struct choice *ch, const struct twin_end *from,
			 const struct twin_end *to, const struct twin_choice *expected)
{
	struct twin_choice freely = twin_choose_freely(from, to);
	char id[ID_TEXT_SIZE];

	if (ch->policy) {
		assert_true(twin_matches(c.m, ch->policy, from, to));
		if (strlen(ch->reason) + 1 < sizeof(ch->reason))
			assert_non_null(
				strstr(ch->reason, id_text_prefixed("np-", ch->policy, id)));
	} else if (expected->send != freely.send || expected->features != freely.features) {
		fail_msg("a policy decided, and none is named: %s", ch->reason);
	}
	if (ch->send == FORMAT_NONE)
		assert_non_null(strstr(ch->reason, " in common"));
	else
		assert_ptr_equal(strstr(ch->reason, format_name(ch->send)), ch->reason);
}

static void check_receiver(size_t x, size_t y, const struct twin_end *from,
			   const struct twin_end *to, const struct twin_choice *expected)
{
	const struct choice *ch = look_up(applied, y, x);

	assert_int_equal(ch->inferred, expected->inferred && expected->send != FORMAT_NONE);
	if (!ch->inferred) {
		assert_int_equal(ch->n_accepts, expected->send != FORMAT_NONE);
		if (!ch->n_accepts)
			return;
		assert_int_equal(between(x, y, ch->accepts[0].formats),
				 FORMAT_BIT(expected->send) | expected->companions);
		assert_int_equal(ch->accepts[0].features, expected->features & FEATURES_PAYLOAD);
		return;
	}
	for (size_t i = 0; i < ch->n_accepts; i++)
		for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
			if (between(x, y, ch->accepts[i].formats) & FORMAT_BIT(f) &&
			    !(FORMAT_BIT(f) & expected->companions))
				assert_true(
					twin_may_infer(c.m, from, to, f, ch->accepts[i].features));
}

static size_t n_none, n_policy, n_checked;

static void check_pair(size_t x, size_t y)
{
	struct twin_end from = end_of(x), to = end_of(y);
	struct twin_choice expected = twin_choose(c.m, &from, &to);
	const struct choice *ch = look_up(applied, x, y);

	if (ch->send != expected.send || ch->send_features != expected.features)
		fail_msg("seed %u step %zu: from node %zu to %zu: %s, features %x (%s); the twin "
			 "says %s, %x",
			 (unsigned int)this_seed, n_steps, x, y, format_name(ch->send),
			 ch->send_features, ch->reason, format_name(expected.send),
			 expected.features);
	if (ch->send != FORMAT_NONE)
		assert_int_equal(between(x, y, ch->send_formats),
				 FORMAT_BIT(expected.send) | expected.companions);
	assert_int_equal(ch->rate.bits, expected.rate.bits);
	assert_int_equal(ch->rate.burst, expected.rate.burst);
	check_policy(ch, &from, &to, &expected);
	check_receiver(x, y, &from, &to, &expected);
	n_checked++;
	n_none += ch->send == FORMAT_NONE;
	n_policy += ch->policy != 0;
}

static void step_pass(size_t budget)
{
	assert_ok(cluster_end(&c, choice_pass_step(cluster_tx(&c), budget)));
}

/* What a host has reported reaches more of its pairs. */
static void step_report(size_t budget)
{
	assert_ok(cluster_end(&c, host_report_step(cluster_tx(&c), budget)));
}

static void settle(void)
{
	while (host_report_due(c.m))
		step_report(3);
	while (choice_pass_of(c.m))
		step_pass(3);
	for (int i = 0; i < 12; i++) {
		for (size_t k = 0; k < HOSTS; k++)
			apply(k);
		for (size_t k = 0; k < HOSTS; k++)
			acknowledge(k);
		pass_time(LIMIT_MODEL_SHIFT_GRACE_MS);
	}
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_EFFECTIVE);
	step_pass(1);
	assert_int_equal(model_count(c.m, KIND_CHOICE_CHANGE), 0);
	for (size_t k = 0; k < HOSTS; k++)
		apply(k);
	check_flights();
	for (size_t x = 0; x < NODES; x++)
		for (size_t y = 0; y < NODES; y++)
			if (can_talk(x, y))
				check_pair(x, y);
}

/* ---- what happens ---- */

static const char *some_network(const struct caller *who)
{
	return who->is_operator       ? networks[below(NETWORKS)]
	       : who == &customers[1] ? networks[2]
				      : networks[below(2)];
}

static void roll_member(const struct caller *who, struct choice_member_args *m,
			struct tag_args *label)
{
	if (!below(3))
		m->network = some_network(who);
	if (!who->is_operator)
		return;
	if (!below(4))
		m->host = host_rows[below(HOSTS)].name;
	if (!below(6))
		m->account = ONE_OF(ACCOUNT_TEXT, "999999999999");
	if (!below(5)) {
		*label =
			(struct tag_args){ONE_OF("environment", "site"), ONE_OF("production", "a")};
		m->labels = label;
		m->n_labels = 1;
	}
}

/* Any, if it is allowed. */
static void change_policy(void)
{
	static const char *const formats[] = {"siit",    "siit/1", "siit/2",   "vxlan",
					      "reip4",   "geneve", "geneve/1", "geneve/2",
					      "vxlan/1", "reip4/1"};
	static const char *const features[] = {"crypt", "crypt/1", "crypt/2", "integrity",
					       "lz4",   "rate",    "rate/1"};
	const struct caller *who = below(3) ? &c.admin : &customers[below(2)];
	const uint32_t mbit = 1 + below(5);
	const char *what[3];
	char name[8], replaced[8];
	struct tag_args labels[2];
	struct choice_policy_args args = {.name = name, .what = what};
	const struct choice_policy *p;
	bool rate = false;
	int r;

	snprintf(name, sizeof(name), "p%u", below(POLICIES));
	snprintf(replaced, sizeof(replaced), "p%u", below(POLICIES));
	roll_member(who, &args.match, &labels[0]);
	if (!below(3))
		roll_member(who, &args.peer, &labels[1]);
	if (!below(4))
		args.environment = ONE_OF("production", "test");
	if (!below(4)) {
		args.interfaces[0] = nodes[below(NODES)].id;
		args.interfaces[1] = nodes[below(NODES)].id;
	}
	args.direction = ONE_OF("both", "both", "out", "in");
	args.effect = ONE_OF("forbid", "forbid", "require", "prefer", "prefer", "prefer", "pin");
	for (args.n_what = 0; args.n_what < 1 + below(3); args.n_what++) {
		what[args.n_what] = below(2) ? one_of(formats, ARRAY_SIZE(formats))
					     : one_of(features, ARRAY_SIZE(features));
		rate |= what[args.n_what][0] == 'r' && what[args.n_what][1] == 'a';
	}
	if (rate && strcmp(args.effect, "forbid"))
		args.rate_mbit = &mbit;
	if (!below(6))
		args.notify = "source";
	r = below(2) ? choice_policy_create(cluster_tx(&c), who, &args, &p, &c.refusal)
		     : choice_policy_replace(cluster_tx(&c), who, replaced, &args, &p, &c.refusal);
	(void)cluster_end(&c, r);
}

static void delete_policy(void)
{
	const struct caller *who = below(3) ? &c.admin : &customers[below(2)];
	char name[8];

	snprintf(name, sizeof(name), "p%u", below(POLICIES));
	(void)cluster_end(&c, choice_policy_delete(cluster_tx(&c), who, name, &c.refusal));
}

static void change_environment(void)
{
	size_t i = below(NETWORKS);
	const struct caller *who = &customers[i == 2];
	const char *id = networks[i];
	struct tag_args tag = {CHOICE_TAG_ENVIRONMENT, ONE_OF("production", "test")};

	switch (below(4)) {
	case 0:
		assert_ok(cluster_end(
			&c, tag_delete(cluster_tx(&c), who, &id, 1, NULL, 0, &c.refusal)));
		break;
	case 1:
		assert_ok(cluster_end(&c, vpc_set_environment(cluster_tx(&c), &c.admin, id,
							      ONE_OF("", "", "production", "test"),
							      &c.refusal)));
		break;
	default:
		assert_ok(cluster_end(
			&c, tag_create(cluster_tx(&c), who, &id, 1, &tag, 1, &c.refusal)));
	}
}

static void change_labels(void)
{
	struct tag_args labels[] = {{"environment", ONE_OF("production", "test")},
				    {"site", ONE_OF("a", "b")}};
	struct host_room_args room = {};
	const struct host *h;

	assert_ok(cluster_end(&c, host_set(cluster_tx(&c), &c.admin, host_rows[below(HOSTS)].name,
					   &room, labels, below(3), &h, &c.refusal)));
}

static void change_report(void)
{
	struct capabilities can = {
		.formats = below(3) ? ALL_FORMATS : below(1 << FORMAT_MAX) & ~1U,
		.features = below(3) ? ALL_FEATURES : below(1 << FEATURE_MAX),
		.required_features = below(12) ? 0 : below(1 << FEATURE_MAX),
		.disallowed_features = below(6) ? 0 : below(1 << FEATURE_MAX),
		.disallowed_formats = below(6) ? 0 : below(1 << FORMAT_MAX) & ~1U,
		.substrate_mtu = 1500,
		.probed_ms = c.now_ms,
	};

	assert_ok(cluster_end(
		&c, host_report(cluster_tx(&c), c.hosts[below(HOSTS)], &can, &c.refusal)));
}

static void step(void)
{
	n_steps++;
	if (c.choice_at_once && choice_pass_due(c.m) && !below(3)) {
		n_passes += choice_pass_of(c.m) != NULL;
		step_pass(1 + below(8));
	}
	if (host_report_due(c.m) && !below(3)) {
		n_report_steps++;
		step_report(1 + below(4));
	}
	switch (below(20)) {
	case 0:
	case 1:
		change_policy();
		break;
	case 2:
		delete_policy();
		break;
	case 3:
		change_environment();
		break;
	case 4:
		change_labels();
		break;
	case 5:
		change_report();
		break;
	case 6:
		assert_ok(cluster_end(&c, host_key_rotate_asked(cluster_tx(&c), &c.admin,
								host_rows[below(HOSTS)].name,
								&c.refusal)));
		break;
	case 7:
	case 8:
		pass_time(below(LIMIT_MODEL_SHIFT_GRACE_MS));
		break;
	case 9:
		if (!below(10))
			cluster_restart(&c);
		break;
	case 10:
	case 11:
	case 12:
	case 13:
	case 14:
		acknowledge(below(HOSTS));
		break;
	default:
		apply(below(HOSTS));
	}
	check_flights();
}

static const struct {
	uint64_t seed;
	bool passes;
} histories[] = {
	{1, false},
	{2, false},
	{3, true},
	{4, true},
	/* a class that is told apart no more has settled, and what it is part of changes its
	 * mind */
	{38, false},
	/* the environment of a network changes while a class of interfaces in it, which no policy
	 * names any more, waits for what it is to be a part of */
	{1052, false},
};

/* requirement: NEG-2, NEG-3, NEG-4, NEG-5, NEG-7, NEG-8 */
static void test_any_policies(void **state)
{
	for (size_t h = 0; h < ARRAY_SIZE(histories); h++) {
		begin(histories[h].seed, histories[h].passes);
		for (int i = 0; i < ROUNDS; i++) {
			for (int k = 0; k < STEPS; k++)
				step();
			settle();
		}
		cluster_deinit(&c);
	}
	print_message("%zu choices, %zu by policies, %zu none\n", n_checked, n_policy, n_none);
	/* walks in which hardly anything is decided by policies, or nothing is refused, prove
	 * nothing */
	assert_true(n_policy > n_checked / 10);
	assert_true(n_passes > ROUNDS);
	assert_true(n_report_steps > ROUNDS);
	assert_true(n_none > n_checked / 50 && n_none < n_checked * 2 / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
