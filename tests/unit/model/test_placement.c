/* SPDX-License-Identifier: Apache-2.0 */
/* Placement, rule by rule; test_placement_property.c has them all at once. */
#include "model/placement.h"

#include <stdio.h>
#include <string.h>

#include "model/placement_group.h"
#include "model/settings.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 0);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static struct host_room_args nothing;

/* A connected host with siit/2, in a rack, with a label and room. */
static void add(const char *name, uint32_t rack, const char *label,
		const struct host_room_args *room)
{
	struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_SIIT_2), .substrate_mtu = 1500, .probed_ms = 1};
	struct tag_args tag = {label, "yes"};
	char v6[32];
	struct host_add_args args = {.name = name,
				     .rack = &rack,
				     .v6 = v6,
				     .labels = &tag,
				     .n_labels = label != NULL,
				     .room = *room};
	const struct host *h;

	snprintf(v6, sizeof(v6), "fd00::%zx", 1 + model_count(c.m, KIND_HOST));
	assert_ok(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)));
	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), h->number, &can, &c.refusal)));
	host_set_connected(c.m, host_find(c.m, name)->number, true);
}

/* Runs 'n' with tags "KEY=VALUE,KEY=VALUE" of viaduct:KEY, separated by ';'. */
static int run_many(const struct instance_run_args *given, uint32_t n, const char *wishes)
{
	struct instance_run_args args = *given;
	char copy[256], keys[4][64], *at = copy, *wish;
	const struct instance *made[32];
	struct tag_args tags[4];
	size_t count;

	snprintf(copy, sizeof(copy), "%s", wishes ? wishes : "");
	while ((wish = strsep(&at, ";")) && *wish) {
		char *equals = strchr(wish, '=');

		*equals = '\0';
		snprintf(keys[args.n_tags], sizeof(keys[0]), "viaduct:%s", wish);
		tags[args.n_tags] = (struct tag_args){keys[args.n_tags], equals + 1};
		args.n_tags++;
	}
	args.tags = tags;
	args.subnet_id = c.subnet;
	args.min_count = args.max_count = n;
	return cluster_end(&c,
			   instance_run(cluster_tx(&c), &c.me, &args, made, &count, &c.refusal));
}

static int run(const char *wishes)
{
	struct instance_run_args args = {.type = "m5.large"};

	return run_many(&args, 1, wishes);
}

static const struct instance *first(void)
{
	struct model_iter it = model_iter_kind(c.m, KIND_INSTANCE);

	return (const struct instance *)model_iter_next(&it);
}

static const struct instance *last(void)
{
	struct model_iter it = model_iter_kind(c.m, KIND_INSTANCE);
	const struct object *o, *found = NULL;

	while ((o = model_iter_next(&it)))
		found = o;
	return (const struct instance *)found;
}

/* Names of the hosts of all instances that are on one, in order. */
static const char *hosts(void)
{
	static char text[256];
	struct model_iter it = model_iter_kind(c.m, KIND_INSTANCE);
	const struct instance *n;

	text[0] = '\0';
	while ((n = (const struct instance *)model_iter_next(&it)))
		if (n->host)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
				 host_by_number(c.m, n->host)->name);
	return text;
}

static void acknowledge(void)
{
	struct model_iter it = model_iter_kind(c.m, KIND_HOST);
	const struct host *h;
	uint32_t numbers[16];
	size_t n = 0;

	while ((h = (const struct host *)model_iter_next(&it)))
		numbers[n++] = h->number;
	while (n--)
		assert_ok(cluster_end(&c,
				      host_acknowledge(cluster_tx(&c), numbers[n],
						       model_revision(c.m), NULL, 0, &c.refusal)));
}

typedef int (*transition_fn)(struct tx *tx, const struct caller *caller, const char *const *ids,
			     size_t n, struct instance_transition *ret, struct refusal *reterr);

static int act(transition_fn fn, const struct instance *n)
{
	char text[ID_TEXT_SIZE];
	const char *id = object_id_text(&n->o, text);
	int r = cluster_end(&c, fn(cluster_tx(&c), &c.me, &id, 1, NULL, &c.refusal));

	if (!r)
		acknowledge();
	return r;
}

/* requirement: NEG-10 */
static void test_required_and_desired(void **state)
{
	const uint32_t two = 2;
	struct host_room_args room = {.capacity[HOST_PORTS] = &two};

	add("plain", 1, NULL, &room);
	add("ssd", 2, "ssd", &room);
	add("gpu", 3, "gpu", &room);
	/* desired alone never fails for capability, and is taken while there is room */
	assert_ok(run("desire=ssd"));
	assert_ok(run("desire=ssd"));
	assert_ok(run("desire=ssd"));
	assert_string_equal(hosts(), "ssd ssd plain ");
	assert_ok(run("desire=nobody-has-it"));
	/* required alone; the format counts, and a label by key or with its value */
	assert_ok(run("require=siit/2, gpu=yes"));
	assert_string_equal(hosts(), "ssd ssd plain gpu gpu ");
	/* full, and what else there is lacks it: both are named */
	assert_int_equal(run("require=gpu,siit/2;desire=ssd"), MODEL_E_NO_CAPACITY);
	assert_string_equal(
		c.refusal.message,
		"There is no host for m5.large in us-east-1a: of 3 hosts: 2 without what is "
		"required, 1 without a port left (required: gpu,siit/2) (desired: ssd)");
	assert_int_equal(run("require=gpu=no"), MODEL_E_NO_CAPACITY);
	assert_int_equal(run("require=siit/1"), MODEL_E_NO_CAPACITY);
	assert_int_equal(run("require=sii"), MODEL_E_NO_CAPACITY);
}

/* requirement: NEG-10 */
static void test_both_before_required_alone(void **state)
{
	const uint32_t one = 1;
	struct host_room_args room = {.capacity[HOST_PORTS] = &one};

	add("required", 1, "r", &room);
	add("desired", 2, "d", &room);
	add("both", 3, "r", &room);
	assert_ok(cluster_end(&c, host_set(cluster_tx(&c), &c.admin, "both", &nothing,
					   (const struct tag_args[]){{"r", "1"}, {"d", "1"}}, 2,
					   &(const struct host *){NULL}, &c.refusal)));
	assert_ok(run("require=r;desire=d"));
	assert_string_equal(hosts(), "both ");
	assert_ok(run("require=r;desire=d"));
	assert_string_equal(hosts(), "both required ");
	assert_int_equal(run("require=r;desire=d"), MODEL_E_NO_CAPACITY);
}

/* requirement: NEG-10 */
static void test_no_overcommit(void **state)
{
	/* of an m5.large: 8192 MiB, 2 vCPUs, 750 Mb/s, 8 GiB */
	static const struct {
		enum host_room room;
		uint32_t capacity;
		const char *why;
	} rows[] = {
		{HOST_MEMORY, 16384, "too little memory"},
		{HOST_VCPUS, 5, "too few vCPUs"},
		{HOST_BANDWIDTH, 2249, "too little bandwidth"},
		{HOST_DISK, 16, "too little disk"},
		{HOST_PORTS, 2, "a port left"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host_room_args room = {};

		room.capacity[rows[i].room] = &rows[i].capacity;
		cluster_deinit(&c);
		setup(NULL);
		add("h", 1, NULL, &room);
		assert_ok(run(NULL));
		assert_ok(run(NULL));
		assert_int_equal(run(NULL), MODEL_E_NO_CAPACITY);
		assert_non_null(strstr(c.refusal.message, rows[i].why));
		acknowledge();
		/* stopped it gives all back but its disk and its port */
		assert_ok(act(instance_stop, last()));
		assert_int_equal(run(NULL), rows[i].room < HOST_DISK ? 0 : MODEL_E_NO_CAPACITY);
		if (rows[i].room < HOST_DISK) {
			acknowledge();
			assert_ok(act(instance_terminate, last()));
		}
		assert_ok(act(instance_start, first()));
		acknowledge();
		assert_ok(act(instance_terminate, last()));
		assert_string_equal(hosts(), rows[i].room < HOST_DISK ? "h h " : "h ");
	}
}

/* requirement: NEG-10 */
static void test_a_host_that_became_full_is_left(void **state)
{
	const uint32_t memory = 8192;
	struct host_room_args room = {.capacity[HOST_MEMORY] = &memory};

	add("a", 1, NULL, &room);
	assert_ok(run(NULL));
	acknowledge();
	assert_ok(act(instance_stop, first()));
	assert_ok(run(NULL));
	acknowledge();
	assert_int_equal(act(instance_start, first()), MODEL_E_NO_CAPACITY);
	add("b", 1, NULL, &room);
	assert_ok(act(instance_start, first()));
	assert_string_equal(hosts(), "b a ");
}

/* requirement: NEG-10 */
static void test_cost(void **state)
{
	const uint32_t cheap = 1, dear = 5, one = 1;

	add("dear", 1, NULL, &(struct host_room_args){.cost = &dear});
	add("cheap", 1, NULL,
	    &(struct host_room_args){.cost = &cheap, .capacity[HOST_PORTS] = &one});
	assert_ok(run(NULL));
	assert_ok(run("max-cost=5"));
	assert_string_equal(hosts(), "cheap dear ");
	assert_int_equal(run("max-cost=4"), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(c.refusal.message, "1 too expensive"));
	assert_int_equal(run("max-cost=little"), MODEL_E_VALUE);
	assert_int_equal(run("strategy=any"), MODEL_E_VALUE);
}

/* requirement: NEG-10 */
static void test_near(void **state)
{
	char wish[128], id[ID_TEXT_SIZE];

	add("a", 1, NULL, &nothing);
	add("b", 2, NULL, &nothing);
	add("c", 2, NULL, &nothing);
	add("store", 3, "storage", &nothing);
	add("d", 3, NULL, &nothing);
	assert_ok(run("require=storage"));
	assert_ok(run("near=storage=yes"));
	assert_string_equal(hosts(), "store store ");
	assert_ok(run(NULL)); /* in another rack */
	assert_string_equal(hosts(), "store store a ");
	snprintf(wish, sizeof(wish), "near=%s", object_id_text(&last()->o, id));
	assert_ok(run(wish));
	assert_string_equal(hosts(), "store store a a ");
	host_set_connected(c.m, host_find(c.m, "store")->number, false);
	assert_ok(run("near=storage"));
	assert_string_equal(hosts(), "store store a a d ");
	assert_int_equal(run("near=i-00000000000000001"), MODEL_E_VALUE);
	assert_int_equal(run("near=tape"), MODEL_E_VALUE);
}

/* requirement: NEG-10 */
static void test_an_account_is_spread_over_racks(void **state)
{
	const uint32_t small = 50;

	add("a1", 1, NULL, &nothing);
	add("a2", 1, NULL, &nothing);
	/* of 50 ports each takes a larger share than of 1023 */
	add("b1", 2, NULL, &(struct host_room_args){.capacity[HOST_PORTS] = &small});
	for (int i = 0; i < 6; i++)
		assert_ok(run(NULL));
	assert_string_equal(hosts(), "a1 b1 a2 b1 a1 b1 ");
}

/* requirement: NEG-10 */
static void test_round_robin(void **state)
{
	struct settings_args args = {"round-robin"};

	add("a", 1, NULL, &nothing);
	add("b", 1, NULL, &nothing);
	add("c", 1, NULL, &nothing);
	assert_ok(run("strategy=round-robin"));
	assert_ok(run("strategy=round-robin"));
	acknowledge();
	assert_ok(act(instance_terminate, last()));
	assert_int_equal(settings_placement(c.m), PLACEMENT_LEAST_LOADED);
	assert_int_equal(cluster_end(&c, settings_set(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_NOT_PERMITTED);
	assert_ok(cluster_end(&c, settings_set(cluster_tx(&c), &c.admin, &args, &c.refusal)));
	assert_int_equal(settings_placement(c.m), PLACEMENT_ROUND_ROBIN);
	/* behind b, although it is empty again */
	assert_ok(run(NULL));
	assert_ok(run(NULL));
	assert_ok(run(NULL));
	assert_string_equal(hosts(), "a c a b ");
	/* the least loaded, with the lowest number */
	assert_ok(run("strategy=least-loaded"));
	assert_string_equal(hosts(), "a c a b b ");
	args.placement = "random";
	assert_int_equal(cluster_end(&c, settings_set(cluster_tx(&c), &c.admin, &args, &c.refusal)),
			 MODEL_E_VALUE);
}

static int make_group(const char *name, const char *strategy, uint32_t partitions,
		      const char *level)
{
	struct placement_group_create_args args = {
		.name = name,
		.strategy = strategy,
		.partitions = partitions ? &partitions : NULL,
		.spread_level = level,
	};
	const struct placement_group *g;

	return cluster_end(&c,
			   placement_group_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal));
}

static int run_in(const char *group, uint32_t n, uint32_t partition)
{
	struct instance_run_args args = {
		.type = "m5.large",
		.group = {.name = group, .partition = partition ? &partition : NULL},
	};

	return run_many(&args, n, NULL);
}

/* requirement: NEG-10 */
static void test_spread_groups(void **state)
{
	char name[16];

	for (uint32_t i = 1; i <= 9; i++) {
		snprintf(name, sizeof(name), "h%u", i);
		add(name, i < 9 ? i : 8, NULL, &nothing);
	}
	assert_ok(make_group("s", "spread", 0, NULL));
	assert_ok(run_in("s", 7, 0));
	assert_string_equal(hosts(), "h1 h2 h3 h4 h5 h6 h7 ");
	/* rack 8 is free, but seven are EC2's most in a zone */
	assert_int_equal(run_in("s", 1, 0), MODEL_E_PLACEMENT_GROUP_FULL);
	acknowledge();
	assert_ok(act(instance_stop, last()));
	assert_ok(run_in("s", 1, 0));
	assert_string_equal(hosts(), "h1 h2 h3 h4 h5 h6 h7 h8 ");
	assert_ok(make_group("hosts", "spread", 0, "host"));
	for (int i = 0; i < 9; i++)
		assert_ok(run_in("hosts", 1, 0));
	assert_int_equal(run_in("hosts", 1, 0), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(c.refusal.message, "9 excluded by the placement group (placement "
						  "group: hosts)"));
}

/* requirement: NEG-10 */
static void test_cluster_groups(void **state)
{
	const uint32_t two = 2;
	struct host_room_args room = {.capacity[HOST_PORTS] = &two};

	add("small", 1, NULL, &room);
	add("a", 2, NULL, &room);
	add("b", 2, NULL, &room);
	assert_ok(make_group("near", NULL, 0, NULL));
	/* not where only two would fit */
	assert_ok(run_in("near", 3, 0));
	assert_string_equal(hosts(), "a b a ");
	assert_ok(run_in("near", 1, 0));
	assert_int_equal(run_in("near", 1, 0), MODEL_E_NO_CAPACITY);
	assert_string_equal(hosts(), "a b a b ");
	assert_ok(run(NULL));
	assert_string_equal(hosts(), "a b a b small ");
	assert_ok(make_group("wide", NULL, 0, NULL));
	assert_int_equal(run_in("wide", 5, 0), MODEL_E_NO_CAPACITY);
}

/* requirement: NEG-10 */
static void test_partition_groups(void **state)
{
	uint32_t partitions[8] = {0};
	struct model_iter it;
	const struct instance *n;

	for (uint32_t i = 0; i < 6; i++)
		add((const char *[]){"a1", "a2", "b1", "b2", "c1", "c2"}[i], 1 + i / 2, NULL,
		    &nothing);
	assert_ok(make_group("p", "partition", 3, NULL));
	assert_ok(run_in("p", 2, 2)); /* keeps to one rack, though the account would be spread */
	assert_ok(run_in("p", 4, 0));
	assert_string_equal(hosts(), "a1 a2 b1 c1 b2 c2 ");
	it = model_iter_kind(c.m, KIND_INSTANCE);
	while ((n = (const struct instance *)model_iter_next(&it)))
		partitions[n->partition]++;
	assert_true(partitions[1] == 2 && partitions[2] == 2 && partitions[3] == 2);
	assert_int_equal(run_in("p", 1, 4), MODEL_E_VALUE);
	assert_int_equal(run_in(NULL, 1, 1), MODEL_E_COMBINATION);
	assert_ok(make_group("q", "partition", 4, NULL));
	for (uint32_t p = 1; p <= 3; p++)
		assert_ok(run_in("q", 1, p));
	assert_int_equal(run_in("q", 1, 4), MODEL_E_NO_CAPACITY);
}

static int place(const struct instance *n, const char *group)
{
	char id[ID_TEXT_SIZE];
	struct instance_place_args args = {object_id_text(&n->o, id), {.name = group}};

	return cluster_end(&c, instance_place(cluster_tx(&c), &c.me, &args, &c.refusal));
}

/* requirement: NEG-10 */
static void test_groups_come_and_go(void **state)
{
	add("a", 1, NULL, &nothing);
	add("b", 2, NULL, &nothing);
	assert_ok(make_group("s", "spread", 0, "rack"));
	assert_int_equal(make_group("s", "cluster", 0, NULL), MODEL_E_PLACEMENT_GROUP_EXISTS);
	assert_int_equal(make_group("", NULL, 0, NULL), MODEL_E_MISSING);
	assert_int_equal(make_group("x", "heap", 0, NULL), MODEL_E_VALUE);
	assert_int_equal(make_group("x", "cluster", 2, NULL), MODEL_E_COMBINATION);
	assert_int_equal(make_group("x", "partition", 8, NULL), MODEL_E_VALUE);
	assert_int_equal(make_group("x", "spread", 0, "shelf"), MODEL_E_VALUE);
	assert_int_equal(make_group("x", "cluster", 0, "rack"), MODEL_E_COMBINATION);
	assert_int_equal(run_in("t", 1, 0), MODEL_E_PLACEMENT_GROUP_UNKNOWN);
	assert_ok(run_in("s", 1, 0));
	assert_ok(run(NULL));
	acknowledge();
	assert_int_equal(place(last(), "s"), MODEL_E_INSTANCE_NOT_STOPPED);
	assert_ok(act(instance_stop, last()));
	assert_ok(place(last(), "s"));
	assert_ok(act(instance_start, last()));
	assert_string_equal(hosts(), "a b ");
	assert_int_equal(
		cluster_end(&c, placement_group_delete(cluster_tx(&c), &c.me, "s", &c.refusal)),
		MODEL_E_PLACEMENT_GROUP_IN_USE);
	assert_ok(act(instance_stop, last()));
	assert_ok(place(last(), ""));
	assert_int_equal(last()->placement_group, 0);
	assert_ok(act(instance_terminate, first()));
	assert_int_equal(cluster_end(&c, placement_group_delete(cluster_tx(&c), &c.stranger, "s",
								&c.refusal)),
			 MODEL_E_PLACEMENT_GROUP_UNKNOWN);
	assert_ok(cluster_end(&c, placement_group_delete(cluster_tx(&c), &c.me, "s", &c.refusal)));
}

/* requirement: NEG-10 */
static void test_only_operators_choose_hosts(void **state)
{
	struct instance_run_args args = {.type = "m5.large", .host = "b"};

	add("a", 1, NULL, &nothing);
	add("b", 1, NULL, &nothing);
	assert_int_equal(run_many(&args, 1, NULL), MODEL_E_NOT_PERMITTED);
	c.me.is_operator = true;
	assert_ok(run_many(&args, 1, NULL));
	assert_string_equal(hosts(), "b ");
	args.host = "c";
	assert_int_equal(run_many(&args, 1, NULL), MODEL_E_HOST_NOT_FOUND);
	cluster_add_edge(&c, "e1", "fd00::e1");
	args.host = "e1";
	assert_int_equal(run_many(&args, 1, NULL), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(c.refusal.message,
			       "the host asked for, e1, is an edge that runs no instances"));
}

static int drain(const char *name, const struct caller *who, bool drained)
{
	const struct host_room_args args = {.drained = &drained};
	const struct host *h;

	return cluster_end(&c, host_set(cluster_tx(&c), who, name, &args, NULL, 0, &h, &c.refusal));
}

/* requirement: NEG-10 */
static void test_a_drained_host_gets_nothing_and_keeps_what_it_has(void **state)
{
	add("a", 1, NULL, &nothing);
	add("b", 1, NULL, &nothing);
	assert_ok(run(NULL));
	assert_string_equal(hosts(), "a ");
	assert_int_equal(drain("a", &c.me, true), MODEL_E_NOT_PERMITTED);
	assert_ok(drain("a", &c.admin, true));
	assert_ok(run(NULL));
	assert_ok(run(NULL));
	assert_string_equal(hosts(), "a b b ");
	/* what is started anew goes elsewhere: that is how it becomes empty */
	acknowledge();
	assert_ok(act(instance_stop, first()));
	acknowledge();
	assert_ok(act(instance_start, first()));
	assert_string_equal(hosts(), "b b b ");
	assert_ok(drain("b", &c.admin, true));
	assert_int_equal(run(NULL), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(c.refusal.message, "2 drained"));
	assert_ok(drain("a", &c.admin, false));
	assert_ok(run(NULL));
	assert_string_equal(hosts(), "b b b a ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_required_and_desired),
		TEST(test_both_before_required_alone),
		TEST(test_no_overcommit),
		TEST(test_a_host_that_became_full_is_left),
		TEST(test_cost),
		TEST(test_near),
		TEST(test_an_account_is_spread_over_racks),
		TEST(test_round_robin),
		TEST(test_spread_groups),
		TEST(test_cluster_groups),
		TEST(test_partition_groups),
		TEST(test_groups_come_and_go),
		TEST(test_only_operators_choose_hosts),
		TEST(test_a_drained_host_gets_nothing_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
