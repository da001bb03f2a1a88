/* SPDX-License-Identifier: Apache-2.0 */
/* Policies for negotiation: what may be said, by whom, which decides, and what is told to hosts. */
#include "model/choice_policy.h"

#include <stdio.h>
#include <string.h>

#include "model/choice_rules.h"
#include "model/plan.h"
#include "model/tag.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char instance_a[ID_TEXT_SIZE], instance_b[ID_TEXT_SIZE];

static void report(uint32_t number, uint32_t formats, uint32_t features)
{
	struct capabilities can = {.formats = formats,
				   .features = features,
				   .substrate_mtu = 1500,
				   .probed_ms = 1,
				   .generation = 1};

	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), number, &can, &c.refusal)));
}

#define ALL_FORMATS                                                                                \
	(FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1) |      \
	 FORMAT_BIT(FORMAT_VXLAN_1))

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	for (size_t i = 0; i < 3; i++)
		report(c.hosts[i], ALL_FORMATS, FEATURE_BIT(FEATURE_MAX) - 1);
	assert_ok(cluster_run(&c, c.subnet, instance_a));
	assert_ok(cluster_run(&c, c.subnet, instance_b));
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct host *host(size_t n)
{
	return host_by_number(c.m, c.hosts[n]);
}

static const struct interface *interface_of(const char *instance)
{
	uint64_t id;
	struct model_iter it;

	assert_ok(id_parse(KIND_INSTANCE, instance, &id));
	it = model_iter_group(c.m, REL_INSTANCE_INTERFACES, id);
	return (const struct interface *)model_iter_next(&it);
}

/* Two hosts that have an instance each, in one network. */
static const struct host *host_a(void)
{
	return host_by_number(c.m, interface_of(instance_a)->attachment.host);
}

static const struct host *host_b(void)
{
	return host_by_number(c.m, interface_of(instance_b)->attachment.host);
}

static struct wish wish(const struct host *from, const struct host *to,
			const struct pair_class *class)
{
	struct wish w;

	pair_wish(c.m, from, to, class, &w);
	return w;
}

/* "effect what [what]" */
static int create(const struct caller *who, const char *name, const char *effect, const char *what,
		  const char *what2, struct choice_policy_args args,
		  const struct choice_policy **ret)
{
	const char *list[] = {what, what2};
	const struct choice_policy *p;

	args.name = name;
	args.effect = effect;
	args.what = list;
	args.n_what = what2 ? 2 : 1;
	return cluster_end(
		&c, choice_policy_create(cluster_tx(&c), who, &args, ret ? ret : &p, &c.refusal));
}

static void admin(const char *name, const char *effect, const char *what,
		  struct choice_policy_args args)
{
	assert_ok(create(&c.admin, name, effect, what, NULL, args, NULL));
}

static struct pair_class network_class(void)
{
	uint32_t vni = interface_of(instance_a)->vni;

	return (struct pair_class){.vni = vni, .peer_vni = vni};
}

/* requirement: NEG-3 */
static void test_effects(void **state)
{
	struct choice_policy_args all = {};
	struct wish w = wish(host(0), host(1), &pair_all);

	assert_int_equal(w.send, FORMAT_SIIT_2);
	assert_int_equal(w.features, 0);
	admin("no-two", "forbid", "siit/2", all);
	assert_int_equal(wish(host(0), host(1), &pair_all).send, FORMAT_SIIT_1);
	admin("tunnel", "prefer", "vxlan", all);
	assert_int_equal(wish(host(0), host(1), &pair_all).send, FORMAT_VXLAN_1);
	admin("seal", "require", "crypt", all);
	w = wish(host(0), host(1), &pair_all);
	assert_int_equal(w.features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_non_null(strstr(w.reason, "preferred by np-"));
	admin("back", "pin", "siit/1", all);
	assert_int_equal(wish(host(0), host(1), &pair_all).send, FORMAT_SIIT_1);
	admin("neither", "pin", "siit/2", (struct choice_policy_args){.match.host = "h1"});
	w = wish(host(0), host(1), &pair_all);
	/* what is pinned is forbidden: refused, not replaced */
	assert_int_equal(w.send, FORMAT_NONE);
	assert_non_null(strstr(w.reason, "neither"));
	assert_non_null(strstr(w.reason, "no-two"));
	assert_int_equal(wish(host(1), host(2), &pair_all).send, FORMAT_SIIT_1);
}

/* Each line is more specific than the one before, and decides, in whatever order they come.
 * requirement: NEG-3 */
static void test_the_most_specific_decides(void **state)
{
	char x[ID_TEXT_SIZE], y[ID_TEXT_SIZE];
	struct tag_args label = {"site", "a"};
	struct pair_class class = {interface_of(instance_a)->vni, interface_of(instance_b)->vni,
				   interface_of(instance_a)->o.id, interface_of(instance_b)->o.id};
	struct choice_policy_args ranks[] = {
		{},
		{.environment = "production"},
		{.match.account = ACCOUNT_TEXT},
		{.match.network = c.vpc},
		{.match = {.network = c.vpc}, .peer = {.network = c.vpc}},
		{.match = {.labels = &label, .n_labels = 1}},
		{.match.host = host_a()->name},
		{.match.host = host_a()->name, .peer.host = host_b()->name},
		{.interfaces = {x, y}},
	};
	const char *vpc = c.vpc;
	struct tag_args tag = {CHOICE_TAG_ENVIRONMENT, "production"};
	struct host *labelled = (struct host *)(uintptr_t)host_a();
	struct tag tags[] = {{(char *)(uintptr_t) "site", (char *)(uintptr_t) "a"}};
	enum { N = ARRAY_SIZE(ranks) };

	object_id_text(&interface_of(instance_a)->o, x);
	object_id_text(&interface_of(instance_b)->o, y);
	assert_ok(cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &vpc, 1, &tag, 1, &c.refusal)));
	labelled->o.tags = tags;
	labelled->o.n_tags = 1;
	for (size_t i = 0; i < N; i++) {
		/* 4 is coprime to 9: every order of neighbours comes up */
		size_t n = i * 4 % N;
		char name[8];

		snprintf(name, sizeof(name), "p%zu", n);
		admin(name, "pin", n % 2 ? "vxlan" : "siit/1", ranks[n]);
	}
	for (size_t n = N; n--;) {
		struct wish w = wish(host_a(), host_b(), &class);
		char name[8];

		snprintf(name, sizeof(name), "p%zu", n);
		assert_int_equal(w.send, n % 2 ? FORMAT_VXLAN_1 : FORMAT_SIIT_1);
		assert_string_equal(w.policy.name, name);
		assert_ok(cluster_end(
			&c, choice_policy_delete(cluster_tx(&c), &c.admin, name, &c.refusal)));
	}
	assert_int_equal(wish(host_a(), host_b(), &class).send, FORMAT_SIIT_2);
	labelled->o.tags = NULL;
	labelled->o.n_tags = 0;
}

/* requirement: NEG-3 */
static void test_customers_lift_nothing(void **state)
{
	struct pair_class class = network_class();
	struct choice_policy_args mine = {.match.network = c.vpc};
	struct wish w;

	admin("seal", "require", "crypt", (struct choice_policy_args){});
	admin("one", "forbid", "siit/2", (struct choice_policy_args){});
	assert_ok(create(&c.me, "plain", "forbid", "crypt/2", NULL, mine, NULL));
	assert_ok(create(&c.me, "two", "pin", "siit/2", NULL, mine, NULL));
	w = wish(host_a(), host_b(), &class);
	assert_int_equal(w.send, FORMAT_NONE);
	assert_ok(cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.me, "two", &c.refusal)));
	w = wish(host_a(), host_b(), &class);
	assert_int_equal(w.send, FORMAT_SIIT_1);
	assert_int_equal(w.features, FEATURE_BIT(FEATURE_CRYPT_1)); /* both have accumulated */
	/* of the same rank the administrators' decides */
	assert_ok(create(&c.me, "mine", "pin", "siit/1", NULL, mine, NULL));
	admin("theirs", "pin", "vxlan", mine);
	assert_string_equal(wish(host_a(), host_b(), &class).policy.name, "theirs");
	/* the pair's own choice is none of the customer's */
	assert_int_equal(wish(host_a(), host_b(), &pair_all).features,
			 FEATURE_BIT(FEATURE_CRYPT_2));
}

/* The policy's name, effect and "rate.mbit", with a burst of as many KiB. */
static int create_rate(const struct caller *who, const char *name, const char *effect,
		       uint32_t mbit, struct choice_policy_args args)
{
	args.rate_mbit = args.rate_burst_kib = &mbit;
	return create(who, name, effect, "rate", NULL, args, NULL);
}

static void expect_rate(const struct pair_class *class, uint32_t mbit)
{
	struct wish w = wish(host_a(), host_b(), class);

	assert_int_equal(w.rate.bits, mbit * 1000000ULL);
	assert_int_equal(w.rate.burst, mbit * 1024);
}

/* Rates that are required accumulate like the rest: the least is what holds, whoever is more
 * specific.  Of those that are not, the most specific one's counts, below that.
 * requirement: NEG-3 */
static void test_a_rate_is_not_lifted(void **state)
{
	struct choice_policy_args all = {}, mine = {.match.network = c.vpc};
	struct pair_class class = network_class();

	assert_ok(create_rate(&c.admin, "all", "require", 10, all));
	assert_ok(create_rate(&c.me, "more", "require", 1000, mine));
	expect_rate(&class, 10);
	expect_rate(&pair_all, 10);
	assert_ok(create_rate(&c.me, "pinned", "pin", 500, mine));
	assert_ok(create_rate(&c.me, "wanted", "prefer", 400, mine));
	expect_rate(&class, 10);
	assert_ok(create_rate(&c.me, "less", "require", 5, mine));
	expect_rate(&class, 5);
	expect_rate(&pair_all, 10);
	assert_ok(cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.me, "less", &c.refusal)));
	assert_ok(
		cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.admin, "all", &c.refusal)));
	expect_rate(&class, 500);
	assert_ok(
		cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.me, "pinned", &c.refusal)));
	expect_rate(&class, 400);
	assert_ok(create_rate(&c.admin, "usual", "prefer", 7, all));
	expect_rate(&class, 400);
	expect_rate(&pair_all, 7);
	assert_ok(
		cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.me, "wanted", &c.refusal)));
	expect_rate(&class, 7);
}

/* requirement: NEG-3 */
static void test_what_customers_may_not_say(void **state)
{
	struct tag_args label = {"site", "a"};
	struct choice_policy_args refused[] = {
		{},
		{.environment = "production"},
		{.match.host = "h1", .match.network = c.vpc},
		{.match.account = ACCOUNT_TEXT, .match.network = c.vpc},
		{.match = {.network = c.vpc, .labels = &label, .n_labels = 1}},
		{.match.network = c.vpc, .peer.host = "h1"},
		{.peer.network = c.vpc},
	};
	const struct choice_policy *p;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(create(&c.me, "p", "forbid", "siit", NULL, refused[i], NULL),
				 MODEL_E_NOT_PERMITTED);
	assert_int_equal(create(&c.stranger, "p", "forbid", "siit", NULL,
				(struct choice_policy_args){.match.network = c.vpc}, NULL),
			 MODEL_E_VPC_NOT_FOUND);
	/* nor touch what is another's */
	assert_ok(create(&c.me, "p", "forbid", "vxlan", NULL,
			 (struct choice_policy_args){.match.network = c.vpc}, &p));
	admin("theirs", "forbid", "vxlan", (struct choice_policy_args){});
	for (size_t i = 0; i < 2; i++) {
		char id[ID_TEXT_SIZE];
		const struct choice_policy *other = NULL;

		if (i)
			assert_ok(choice_policy_find(c.m, &c.admin, "theirs", &other, &c.refusal));
		object_id_text(i ? &other->o : &p->o, id);
		assert_int_equal(cluster_end(&c, choice_policy_delete(cluster_tx(&c),
								      i ? &c.me : &c.stranger, id,
								      &c.refusal)),
				 MODEL_E_CHOICE_POLICY_NOT_FOUND);
	}
	assert_int_equal(model_count(c.m, KIND_CHOICE_POLICY), 2);
}

/* requirement: NEG-3 */
static void test_nonsense_is_refused(void **state)
{
	const uint32_t none = 0, ten = 10, huge = 70000;
	const struct {
		const char *name, *effect, *what, *what2;
		struct choice_policy_args args;
		int expected;
	} rows[] = {
		{"Upper", "forbid", "siit", NULL, {}, MODEL_E_VALUE},
		{"np-1", "forbid", "siit", NULL, {}, MODEL_E_VALUE},
		{"", "forbid", "siit", NULL, {}, MODEL_E_VALUE},
		{NULL, "forbid", "siit", NULL, {}, MODEL_E_MISSING},
		{"p", "allow", "siit", NULL, {}, MODEL_E_VALUE},
		{"p", NULL, "siit", NULL, {}, MODEL_E_MISSING},
		{"p", "forbid", "siit/9", NULL, {}, MODEL_E_VALUE},
		{"p", "forbid", "", NULL, {}, MODEL_E_VALUE},
		{"p", "forbid", "siit", "siit", {}, MODEL_E_VALUE},
		{"p", "pin", "ipip6", NULL, {}, MODEL_E_VALUE},
		{"p", "require", "rate", NULL, {}, MODEL_E_MISSING},
		{"p", "require", "rate", NULL, {.rate_mbit = &none}, MODEL_E_VALUE},
		{"p",
		 "require",
		 "rate",
		 NULL,
		 {.rate_mbit = &ten, .rate_burst_kib = &huge},
		 MODEL_E_VALUE},
		{"p", "forbid", "rate", NULL, {.rate_mbit = &ten}, MODEL_E_COMBINATION},
		{"p", "require", "crypt", NULL, {.rate_mbit = &ten}, MODEL_E_COMBINATION},
		{"p", "forbid", "siit", NULL, {.direction = "up"}, MODEL_E_VALUE},
		{"p", "forbid", "siit", NULL, {.notify = "nobody"}, MODEL_E_VALUE},
		{"p", "forbid", "siit", NULL, {.match.host = "h99"}, MODEL_E_HOST_NOT_FOUND},
		{"p", "forbid", "siit", NULL, {.match.account = "1"}, MODEL_E_ACCOUNT_NOT_FOUND},
		{"p", "forbid", "siit", NULL, {.match.network = "vpc-1"}, MODEL_E_VPC_NOT_FOUND},
		{"p",
		 "forbid",
		 "siit",
		 NULL,
		 {.interfaces = {"eni-1", "eni-2"}},
		 MODEL_E_INTERFACE_NOT_FOUND},
		{"p",
		 "forbid",
		 "siit",
		 NULL,
		 {.interfaces = {"eni-1", NULL}},
		 MODEL_E_INTERFACE_NOT_FOUND},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (create(&c.admin, rows[i].name, rows[i].effect, rows[i].what, rows[i].what2,
			   rows[i].args, NULL) != rows[i].expected)
			fail_msg("row %zu: %s", i, c.refusal.message);
	assert_int_equal(model_count(c.m, KIND_CHOICE_POLICY), 0);
	admin("p", "forbid", "siit", (struct choice_policy_args){});
	assert_int_equal(
		create(&c.admin, "p", "forbid", "vxlan", NULL, (struct choice_policy_args){}, NULL),
		MODEL_E_EXISTS);
}

/* requirement: NEG-4 */
static void test_directions(void **state)
{
	struct choice_policy_args out = {.match.host = "h1", .direction = "out"};
	struct choice_policy_args in = {.match.host = "h1", .direction = "in"};
	struct choice choice;

	admin("out", "require", "crypt", out);
	assert_int_equal(wish(host(0), host(1), &pair_all).features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_int_equal(wish(host(1), host(0), &pair_all).features, 0);
	admin("in", "pin", "vxlan", in);
	assert_int_equal(wish(host(0), host(1), &pair_all).send, FORMAT_SIIT_2);
	assert_int_equal(wish(host(1), host(0), &pair_all).send, FORMAT_VXLAN_1);
	cluster_settle_choices(&c);
	pair_choice(c.m, host(0), host(1), &pair_all, &choice);
	assert_int_equal(choice.send, FORMAT_SIIT_2);
	assert_int_equal(choice.send_features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_true(choice_formats(&choice) & FORMAT_BIT(FORMAT_VXLAN_1));
}

/* requirement: NEG-5 */
static void test_inferred(void **state)
{
	struct choice_policy_args source = {
		.match.host = "h1", .direction = "out", .notify = "source"};
	struct choice choice;
	uint32_t features = 0;
	size_t n_plain = 0;

	admin("quiet", "prefer", "siit/1", source);
	admin("not", "forbid", "crypt/1", (struct choice_policy_args){});
	pair_choice(c.m, host(1), host(0), &pair_all, &choice);
	assert_true(choice.inferred);
	/* all that policies permit, and nothing else */
	assert_int_equal(choice_formats(&choice), ALL_FORMATS);
	cluster_settle_choices(&c);
	pair_choice(c.m, host(1), host(0), &pair_all, &choice);
	for (size_t i = 0; i < choice.n_accepts; i++) {
		features |= choice.accepts[i].features;
		/* compressed is not in the clear */
		n_plain += !choice.accepts[i].features;
	}
	assert_int_equal(n_plain, 1);
	assert_int_equal(features, FEATURE_BIT(FEATURE_CRYPT_2) | FEATURE_BIT(FEATURE_INTEGRITY_1) |
					   FEATURE_BIT(FEATURE_LZ4_1));
	pair_choice(c.m, host(0), host(1), &pair_all, &choice);
	assert_false(choice.inferred);
	assert_false(choice_formats(&choice) & FORMAT_BIT(FORMAT_VXLAN_1));
}

/* ---- what hosts are told ---- */

struct told {
	uint32_t host;
	size_t n, n_variants, n_addresses;
	enum format send, variant;
	uint32_t features;
};

static int take(void *data, uint32_t number, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind != PLAN_PEER || number != t->host || item->peer.number != host_b()->number)
		return 0;
	t->n++;
	t->send = item->peer.choice.send;
	t->n_variants = item->peer.n_variants;
	t->n_addresses = 0;
	for (size_t i = 0; i < t->n_variants; i++) {
		t->variant = item->peer.variants[i].choice->send;
		t->features = item->peer.variants[i].choice->send_features;
		t->n_addresses += !ipaddr_is_zero(&item->peer.variants[i].addr);
	}
	return 0;
}

static struct told told_of_a(void)
{
	struct told t = {.host = host_a()->number};

	assert_ok(plan_full(c.m, t.host, take, &t));
	return t;
}

/* requirement: NEG-4 */
static void test_variants(void **state)
{
	char x[ID_TEXT_SIZE], y[ID_TEXT_SIZE];
	struct told t = told_of_a();
	uint32_t mtu = ((const struct vpc *)vpc_by_vni(c.m, interface_of(instance_a)->vni))->mtu;

	assert_int_not_equal(host_a()->number, host_b()->number);
	assert_int_equal(t.n_variants, 0);
	admin("same", "prefer", "siit", (struct choice_policy_args){.match.network = c.vpc});
	assert_int_equal(told_of_a().n_variants, 0); /* it makes no difference */
	admin("tunnel", "pin", "vxlan", (struct choice_policy_args){.match.network = c.vpc});
	cluster_settle_choices(&c);
	t = told_of_a();
	assert_int_equal(t.send, FORMAT_SIIT_2);
	assert_int_equal(t.n_variants, 1);
	assert_int_equal(t.variant, FORMAT_VXLAN_1);
	/* the MTU of the network follows */
	assert_int_equal(((const struct vpc *)vpc_by_vni(c.m, interface_of(instance_a)->vni))->mtu,
			 mtu - 30);
	object_id_text(&interface_of(instance_a)->o, x);
	object_id_text(&interface_of(instance_b)->o, y);
	admin("pair", "require", "crypt",
	      (struct choice_policy_args){.interfaces = {x, y}, .direction = "out"});
	cluster_settle_choices(&c);
	t = told_of_a();
	/* the network's; IPv4 and link-local addresses of the two interfaces */
	assert_int_equal(t.n_variants, 3);
	assert_int_equal(t.n_addresses, 2);
	assert_int_equal(t.features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_ok(cluster_end(
		&c, choice_policy_delete(cluster_tx(&c), &c.admin, "tunnel", &c.refusal)));
	assert_ok(cluster_end(&c,
			      choice_policy_delete(cluster_tx(&c), &c.admin, "pair", &c.refusal)));
	cluster_settle_choices(&c);
	assert_int_equal(told_of_a().n_variants, 0);
	assert_int_equal(((const struct vpc *)vpc_by_vni(c.m, interface_of(instance_a)->vni))->mtu,
			 mtu);
}

/* A customer's environment is its VPC's, an administrator's that of hosts, too.
 * requirement: NEG-3 */
static void test_environments(void **state)
{
	struct pair_class class = network_class();
	const char *vpc = c.vpc;
	struct tag_args tag = {CHOICE_TAG_ENVIRONMENT, "production"};

	admin("seal", "require", "crypt", (struct choice_policy_args){.environment = "production"});
	assert_int_equal(wish(host_a(), host_b(), &class).features, 0);
	assert_ok(cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &vpc, 1, &tag, 1, &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_int_equal(wish(host_a(), host_b(), &pair_all).features, 0);
	cluster_settle_choices(&c);
	assert_int_equal(told_of_a().n_variants, 1);
	tag.value = "test";
	assert_ok(cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &vpc, 1, &tag, 1, &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, 0);
}

/* What an operator has said, no tag unsays.
 * requirement: NEG-3 */
static void test_an_environment_that_is_fixed(void **state)
{
	struct pair_class class = network_class();
	const char *vpc = c.vpc;
	struct tag_args tag = {CHOICE_TAG_ENVIRONMENT, "test"};

	admin("seal", "require", "crypt", (struct choice_policy_args){.environment = "production"});
	assert_int_equal(cluster_end(&c, vpc_set_environment(cluster_tx(&c), &c.me, vpc, "test",
							     &c.refusal)),
			 MODEL_E_NOT_PERMITTED);
	assert_int_equal(cluster_end(&c, vpc_set_environment(cluster_tx(&c), &c.stranger, vpc,
							     "test", &c.refusal)),
			 MODEL_E_VPC_NOT_FOUND);
	assert_ok(cluster_end(
		&c, vpc_set_environment(cluster_tx(&c), &c.admin, vpc, "production", &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, FEATURE_BIT(FEATURE_CRYPT_2));
	cluster_settle_choices(&c);
	assert_int_equal(told_of_a().n_variants, 1);
	assert_ok(cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &vpc, 1, &tag, 1, &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_ok(cluster_end(&c, tag_delete(cluster_tx(&c), &c.me, &vpc, 1, NULL, 0, &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_ok(cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &vpc, 1, &tag, 1, &c.refusal)));
	/* until it is the account's again */
	assert_ok(cluster_end(&c,
			      vpc_set_environment(cluster_tx(&c), &c.admin, vpc, "", &c.refusal)));
	assert_int_equal(wish(host_a(), host_b(), &class).features, 0);
	cluster_settle_choices(&c);
	assert_int_equal(told_of_a().n_variants, 0);
}

/* requirement: NEG-1, NEG-7 */
static void test_impossible_reports(void **state)
{
	const struct {
		struct capabilities can;
		const char *says;
	} rows[] = {
		{{.formats = 1U << 20, .substrate_mtu = 1500, .probed_ms = 1},
		 "only formats that nobody knows"},
		{{.formats = FORMAT_BIT(FORMAT_IPIP6_1), .substrate_mtu = 1500, .probed_ms = 1},
		 "ipip6 without siit"},
		{{.formats = ALL_FORMATS, .probed_ms = 1}, "an MTU of 0"},
		{{.formats = ALL_FORMATS, .substrate_mtu = 100, .probed_ms = 1},
		 "an MTU that no substrate has"},
		{{.formats = ALL_FORMATS, .substrate_mtu = 65536 + 1500, .probed_ms = 1},
		 "an MTU that no substrate has"},
		{{.formats = ALL_FORMATS,
		  .substrate_mtu = 1500,
		  .probed_ms = 1,
		  .required_features = 1U << 25},
		 "requires features that nobody knows"},
		{{.formats = ALL_FORMATS,
		  .substrate_mtu = 1500,
		  .probed_ms = 1,
		  .required_features = 1},
		 "requires a feature that it has not"},
		{{.formats = ALL_FORMATS,
		  .substrate_mtu = 1500,
		  .probed_ms = 1,
		  .features = 3,
		  .required_features = 1,
		  .disallowed_features = 3},
		 "requires a feature that it disallows"},
		{{.formats = 0}, "no probe of it has succeeded yet"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t number = cluster_add_host(
			&c, (char[]){'x', (char)('a' + i), 0}, NULL,
			(char[]){'f', 'd', '0', '0', ':', ':', '9', (char)('1' + i), 0}, 0, 0);
		const struct host *h = host_by_number(c.m, number);
		struct wish w;

		assert_ok(cluster_end(
			&c, host_report(cluster_tx(&c), number, &rows[i].can, &c.refusal)));
		h = host_by_number(c.m, number);
		w = wish(h, host(0), &pair_all);
		assert_false(host_is_capable(h));
		assert_int_equal(w.send, FORMAT_NONE);
		assert_non_null(strstr(w.reason, rows[i].says));
		assert_int_equal(wish(host(0), h, &pair_all).send, FORMAT_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_effects),
		TEST(test_the_most_specific_decides),
		TEST(test_customers_lift_nothing),
		TEST(test_a_rate_is_not_lifted),
		TEST(test_what_customers_may_not_say),
		TEST(test_nonsense_is_refused),
		TEST(test_directions),
		TEST(test_inferred),
		TEST(test_variants),
		TEST(test_environments),
		TEST(test_an_environment_that_is_fixed),
		TEST(test_impossible_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
