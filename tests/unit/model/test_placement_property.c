/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement under random histories: hosts of random places, room, cost and abilities come and go,
 * instances of two accounts are started, stopped, moved between groups and ended, changes are
 * undone and the model is loaded again.  All the while placement says of every host what its plain
 * twin says, and takes the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/edit.h"
#include "model/placement_group.h"
#include "model/settings.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/dice.h"
#include "tests/unit/model/twin_placement.h"

enum { SEEDS = 6, STEPS = 500, HOSTS = 14, ACCOUNTS = 2, ZONES = 2, TEXT = 300 };

static struct cluster c;
static uint32_t n_named, n_placed, n_refused;
static struct caller callers[ACCOUNTS];
static char subnets[ACCOUNTS][ZONES][ID_TEXT_SIZE];

/* ---- a cloud ---- */

static void begin(uint64_t from)
{
	static const char *const names[ZONES] = {"us-east-1a", "us-east-1b"};

	dice_begin(from);
	n_named = 0;
	cluster_init(&c, 0);
	for (size_t a = 0; a < ACCOUNTS; a++) {
		struct vpc_create_args vpc_args = {.cidr = "10.0.0.0/16"};
		struct account_create_args args = {.name = "another"};
		struct subnet_create_args subnet_args = {};
		const struct account *account;
		const struct subnet *s;
		char id[ID_TEXT_SIZE], cidr[32];
		const struct vpc *v;

		assert_ok(cluster_end(
			&c, account_create(cluster_tx(&c), &c.admin, &args, &account, &c.refusal)));
		callers[a] = (struct caller){.account = account->o.id};
		assert_ok(cluster_end(
			&c, vpc_create(cluster_tx(&c), &callers[a], &vpc_args, &v, &c.refusal)));
		subnet_args.vpc_id = object_id_text(&v->o, id);
		subnet_args.cidr = cidr;
		for (size_t z = 0; z < ZONES; z++) {
			snprintf(cidr, sizeof(cidr), "10.0.%zu.0/24", z);
			subnet_args.zone = names[z];
			assert_ok(cluster_end(&c, subnet_create(cluster_tx(&c), &callers[a],
								&subnet_args, &s, &c.refusal)));
			object_id_text(&s->o, subnets[a][z]);
		}
	}
}

/* Ends the operation's transaction: committed, or now and then undone. */
static void end(int r)
{
	struct change *change;

	assert_true(r >= 0);
	n_refused += r > 0;
	assert_ok(tx_end(c.m->tx, &change));
	if (!change)
		return;
	if (below(8))
		change_free(change);
	else
		change_undo(change);
}

static const struct object *any(enum kind k)
{
	struct model_iter it = model_iter_kind(c.m, k);
	const struct object *o = NULL;
	size_t n = model_count(c.m, k);

	for (n = n ? 1 + below((uint32_t)n) : 0; n; n--)
		o = model_iter_next(&it);
	return o;
}

static const uint32_t *maybe(uint32_t *store, uint32_t n)
{
	*store = below(n);
	return below(3) ? NULL : store;
}

static void random_room(struct host_room_args *room, uint32_t store[HOST_ROOM_MAX + 1])
{
	static const uint32_t most[HOST_ROOM_MAX] = {40000, 24, 4000, 80, 12};

	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++)
		room->capacity[r] = maybe(&store[r], most[r]);
	room->cost = maybe(&store[HOST_ROOM_MAX], 3);
}

/* Now and then one is drained, and most come back. */
static const bool *random_drained(void)
{
	static const bool values[] = {false, true};

	return below(2) ? &values[!below(4)] : NULL;
}

static size_t random_labels(struct tag_args labels[2])
{
	labels[0] = (struct tag_args){"gpu", ONE_OF("a100", "h100")};
	labels[1] = (struct tag_args){"storage", ONE_OF("x", "y")};
	return below(3);
}

static void add_host(void)
{
	char name[32], v6[32];
	uint32_t locale = below(2), area = below(2), rack = below(3), store[HOST_ROOM_MAX + 1];
	struct tag_args labels[2];
	struct host_add_args args = {.name = name,
				     .v6 = v6,
				     .locale = &locale,
				     .area = &area,
				     .rack = &rack,
				     .zone = ONE_OF("us-east-1a", "us-east-1a", "us-east-1b"),
				     .edge = !below(12),
				     .instances = below(2),
				     .labels = labels};
	const struct host *h;

	snprintf(name, sizeof(name), "h%u", ++n_named);
	snprintf(v6, sizeof(v6), "fd00::%x", n_named);
	args.n_labels = random_labels(labels);
	random_room(&args.room, store);
	end(host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal));
}

static void change_host(const struct host *h)
{
	struct capabilities can = {.substrate_mtu = 1500, .probed_ms = c.now_ms, .tcx = below(2)};
	uint32_t store[HOST_ROOM_MAX + 1];
	struct host_room_args room = {};
	struct tag_args labels[2];
	size_t n = random_labels(labels);
	uint32_t number = h->number;
	const struct host *ret;

	switch (below(5)) {
	case 0:
		random_room(&room, store);
		room.drained = random_drained();
		end(host_set(cluster_tx(&c), &c.admin, h->name, &room, below(2) ? labels : NULL, n,
			     &ret, &c.refusal));
		break;
	case 1:
		end(host_remove(cluster_tx(&c), &c.admin, h->name, !below(6), &c.refusal));
		break;
	case 2:
		host_set_connected(c.m, h->number, below(5));
		break;
	default:
		can.formats = below(8) ? FORMAT_BIT(FORMAT_SIIT_2) : 0;
		can.formats |= below(2) ? FORMAT_BIT(FORMAT_VXLAN_1) : 0;
		end(host_report(cluster_tx(&c), number, &can, &c.refusal));
		host_set_connected(c.m, number, true);
	}
}

static void change_group(size_t account)
{
	const struct placement_group *g = (const struct placement_group *)any(KIND_PLACEMENT_GROUP);
	struct placement_group_create_args args = {
		.name = ONE_OF("g1", "g2", "g3", "g4", "g5"),
		.strategy = ONE_OF("cluster", "spread", "partition"),
	};
	uint32_t partitions = 1 + below(4);

	if (args.strategy[0] == 'p')
		args.partitions = &partitions;
	if (args.strategy[0] == 's')
		args.spread_level = ONE_OF("rack", "rack", "host");
	if (below(4))
		end(placement_group_create(cluster_tx(&c), &callers[account], &args, &g,
					   &c.refusal));
	else
		end(placement_group_delete(cluster_tx(&c), &callers[account], args.name,
					   &c.refusal));
}

/* ---- requests ---- */

static const char *random_near(char buf[static TEXT])
{
	const struct object *o = any(KIND_INSTANCE);
	char id[ID_TEXT_SIZE];

	snprintf(buf, TEXT, "%s%s", o && below(3) ? object_id_text(o, id) : "",
		 below(2) ? ", storage=x" : "");
	return buf;
}

/* Asks for anything; what the answer says is borrowed from 'near'. */
static struct placement_request random_request(char near[static TEXT])
{
	const struct placement_group *g = (const struct placement_group *)any(KIND_PLACEMENT_GROUP);
	const struct host *h = (const struct host *)any(KIND_HOST);
	struct placement_request r = {
		.account = callers[below(ACCOUNTS)].account,
		.zone = ONE_OF("us-east-1a", "us-east-1a", "us-east-1b", "nowhere", NULL),
		.what = "a node",
		.require =
			below(3) ? NULL : ONE_OF("siit/2", "tcx", "gpu=a100", "gpu", " tcx, gpu"),
		.desire = below(3) ? NULL : ONE_OF("vxlan/1", "storage=y", "tcx,vxlan/1", "none"),
		.near = below(3) ? NULL : random_near(near),
		.limits_cost = !below(6),
		.max_cost = below(3),
		.strategy = below(PLACEMENT_STRATEGY_MAX),
		.only = h && !below(8) ? h->number : 0,
	};
	size_t n_types;
	const struct instance_type *types = instance_types(&n_types);

	placement_needs(&types[below((uint32_t)n_types)], 1 + below(3), r.needs);
	if (g && below(2)) {
		r.account = g->o.account;
		r.group = g;
		r.together = 1 + below(5);
		if (g->strategy == PLACEMENT_PARTITION)
			r.partition = below(g->partitions + 1);
	}
	return r;
}

static void compare(const struct placement_request *r)
{
	struct placement_explanation e = {.n = 0};
	struct placement_choice choice;
	const struct host *expected;
	uint32_t partition;
	char text[PLACEMENT_TEXT_SIZE];
	int code = placement_choose(c.m, r, &choice, &c.refusal);

	if (!twin_near_is_there(c.m, r)) {
		assert_int_equal(code, MODEL_E_VALUE);
		return;
	}
	expected = twin_place(c.m, r, &partition);
	assert_int_equal(code, expected ? 0 : MODEL_E_NO_CAPACITY);
	if (expected) {
		n_placed++;
		assert_ptr_equal(choice.host, expected);
		assert_int_equal(choice.partition, partition);
	}
	assert_ok(placement_explain(c.m, r, &e, &c.refusal));
	assert_int_equal(e.n, model_count(c.m, KIND_HOST));
	if (expected)
		assert_ptr_equal(e.verdicts[0].host, expected);
	else
		assert_int_equal(e.refusal.code, MODEL_E_NO_CAPACITY);
	for (size_t i = 0; i < e.n; i++) {
		struct twin_verdict v = twin_judge(c.m, r, e.partition, e.verdicts[i].host);

		assert_int_equal(e.verdicts[i].reason, v.reason);
		assert_int_equal(!placement_text(c.m, r, &e.verdicts[i], text)[0], !v.reason);
		assert_true(!i || !e.verdicts[i - 1].reason || e.verdicts[i].reason);
	}
	placement_explanation_deinit(&e);
}

/* ---- instances ---- */

/* What RunInstances has to ask, so that the twin can foretell it. */
static void run(size_t account)
{
	struct placement_request r = {.account = callers[account].account, .together = 1};
	const struct placement_group *g;
	struct instance_run_args args = {
		.type = ONE_OF("t2.nano", "t2.micro", "m5.large", "m5.xlarge", "c5.large"),
		.min_count = 1,
		.max_count = 1,
	};
	struct tag_args tags[] = {{PLACEMENT_TAG_REQUIRE, ONE_OF("siit/2", "tcx", "gpu")},
				  {PLACEMENT_TAG_DESIRE, ONE_OF("vxlan/1", "storage=x")},
				  {PLACEMENT_TAG_STRATEGY, ONE_OF("round-robin", "least-loaded")}};
	const struct host *expected = NULL;
	const struct instance *n;
	uint32_t zone = below(ZONES), partition = 0;
	size_t count;
	int code;

	args.subnet_id = subnets[account][zone];
	args.tags = tags;
	args.n_tags = below(ARRAY_SIZE(tags) + 1);
	args.group.name = below(2) ? NULL : ONE_OF("g1", "g2", "g3", "g4", "g5");
	r.zone = zone ? "us-east-1b" : "us-east-1a";
	r.require = args.n_tags > 0 ? tags[0].value : NULL;
	r.desire = args.n_tags > 1 ? tags[1].value : NULL;
	if (args.n_tags > 2)
		assert_ok(placement_strategy_parse(tags[2].value, &r.strategy));
	placement_needs(instance_type_find(args.type), 1, r.needs);
	g = args.group.name ? placement_group_named(c.m, r.account, args.group.name) : NULL;
	r.group = g;
	if (!args.group.name || g)
		expected = twin_place(c.m, &r, &partition);
	code = instance_run(cluster_tx(&c), &callers[account], &args, &n, &count, &c.refusal);
	if (!code) {
		assert_int_equal(n->host, expected->number);
		assert_int_equal(n->partition, partition);
	} else if (code == MODEL_E_NO_CAPACITY) {
		assert_null(expected);
	} else {
		assert_true(code == MODEL_E_PLACEMENT_GROUP_UNKNOWN ||
			    code == MODEL_E_PLACEMENT_GROUP_FULL ||
			    code == MODEL_E_NO_FREE_ADDRESS);
	}
	end(code);
}

static void start(const struct instance *n)
{
	struct placement_request r = {.account = n->o.account,
				      .zone = n->zone,
				      .partition = n->partition,
				      .again = n,
				      .together = 1};
	const struct host *expected;
	struct instance_transition t;
	char text[ID_TEXT_SIZE];
	const char *id = object_id_text(&n->o, text);
	enum instance_state before = n->state;
	uint32_t partition;
	int code;

	r.group = (const struct placement_group *)model_get(c.m, KIND_PLACEMENT_GROUP,
							    n->placement_group);
	assert_ok(placement_read_tags(&r, &n->o, NULL));
	placement_needs(instance_type_find(n->type),
			model_group_count(c.m, REL_INSTANCE_INTERFACES, n->o.id), r.needs);
	expected = twin_place(c.m, &r, &partition);
	code = instance_start(cluster_tx(&c), &c.admin, &id, 1, &t, &c.refusal);
	if (!code && before == INSTANCE_STOPPED)
		assert_int_equal(t.instance->host, expected->number);
	if (code == MODEL_E_NO_CAPACITY)
		assert_null(expected);
	end(code);
}

static void change_instance(const struct instance *n)
{
	char text[ID_TEXT_SIZE];
	const char *id = object_id_text(&n->o, text);
	struct instance_place_args place = {.instance_id = id};
	struct instance_modify_args modify = {.instance_id = id,
					      .type = ONE_OF("t2.nano", "m5.xlarge")};

	switch (below(8)) {
	case 0:
	case 1:
		end(instance_stop(cluster_tx(&c), &c.admin, &id, 1, NULL, &c.refusal));
		break;
	case 2:
	case 3:
	case 4:
		start(n);
		break;
	case 5:
		end(instance_terminate(cluster_tx(&c), &c.admin, &id, 1, NULL, &c.refusal));
		break;
	case 6:
		place.group.name = ONE_OF("g1", "g2", "g3", "");
		end(instance_place(cluster_tx(&c), &c.admin, &place, &c.refusal));
		break;
	default:
		end(instance_modify(cluster_tx(&c), &c.admin, &modify, &c.refusal));
	}
}

static void acknowledge_all(void)
{
	struct model_iter it = model_iter_kind(c.m, KIND_HOST);
	const struct object *o;
	uint32_t numbers[64];
	size_t n = 0;

	while ((o = model_iter_next(&it)))
		numbers[n++] = ((const struct host *)o)->number;
	for (size_t i = 0; i < n; i++)
		end(host_acknowledge(cluster_tx(&c), numbers[i], model_revision(c.m), NULL, 0,
				     &c.refusal));
}

static void step(void)
{
	const struct object *host = any(KIND_HOST), *instance = any(KIND_INSTANCE);
	struct settings_args settings = {ONE_OF("least-loaded", "round-robin")};

	switch (below(16)) {
	case 0:
	case 1:
		if (model_count(c.m, KIND_HOST) < HOSTS)
			add_host();
		break;
	case 2:
	case 3:
	case 4:
		if (host)
			change_host((const struct host *)host);
		break;
	case 5:
		change_group(below(ACCOUNTS));
		break;
	case 6:
		end(settings_set(cluster_tx(&c), &c.admin, &settings, &c.refusal));
		break;
	case 7:
	case 8:
		acknowledge_all();
		break;
	case 9:
	case 10:
	case 11:
		if (instance)
			change_instance((const struct instance *)instance);
		break;
	default:
		run(below(ACCOUNTS));
	}
}

/* ---- loading ---- */

static void load_record(struct model *to, const struct object *o)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(o, &b);
	assert_ok(model_load(to, o->kind, o->id, buf_data(&b), buf_size(&b)));
}

/* Everything once more from its records, instances before their hosts or after them. */
static void reload(void)
{
	struct model_config config = {.region = "us-east-1", .ids = c.m->ids};
	bool backwards = below(2);
	struct model_iter it;
	const struct object *o;
	struct model *m;

	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	assert_ok(prefix_parse("fd56:6976:3600::/40", &config.ipv6_pool));
	assert_ok(model_new(&config, &m));
	for (enum kind i = KIND_ACCOUNT; i < KIND_MAX; i++) {
		it = model_iter_kind(c.m, backwards ? KIND_MAX - i : i);
		while ((o = model_iter_next(&it)))
			load_record(m, o);
	}
	assert_ok(model_load_end(m, model_revision(c.m)));
	it = model_iter_kind(c.m, KIND_HOST);
	while ((o = model_iter_next(&it)))
		host_set_connected(m, ((const struct host *)o)->number,
				   host_is_connected(c.m, ((const struct host *)o)->number));
	model_free(c.m);
	c.m = m;
}

/* requirement: NEG-10 */
static void test_places_as_its_twin(void **state)
{
	char near[TEXT];

	n_placed = n_refused = 0;
	for (uint64_t s = 1; s <= SEEDS; s++) {
		begin(s);
		for (int i = 0; i < STEPS; i++) {
			step();
			if (!below(100))
				reload();
			for (int k = 0; k < 3; k++) {
				struct placement_request r = random_request(near);

				compare(&r);
			}
		}
		cluster_deinit(&c);
	}
	/* walks in which hardly anything is placed, or nothing refused, prove nothing */
	assert_true(n_placed > SEEDS * STEPS / 3);
	assert_true(n_refused > SEEDS * STEPS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_as_its_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
