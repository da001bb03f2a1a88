/* SPDX-License-Identifier: Apache-2.0 */
/* Random policies for negotiation, environments, and what hosts report about features.  See
 * walk.h. */
#include <stdio.h>

#include "model/choice_policy.h"
#include "model/choice_rules.h"
#include "model/tag.h"
#include "tests/unit/model/walk.h"

static const char *const environments[] = {"production", "test"};

static const char *one_of(struct walk *w, const char *const *list, size_t n)
{
	return list[walk_random(w, (uint32_t)n)];
}

/* In one of some cases. */
static bool chance(struct walk *w, uint32_t of)
{
	return !walk_random(w, of);
}

static const char *some_host_name(struct walk *w)
{
	struct model_iter it = model_iter_kind(w->c.m, KIND_HOST);
	uint32_t n = walk_random(w, (uint32_t)model_count(w->c.m, KIND_HOST) + 1);
	const struct object *o = NULL;

	for (uint32_t i = 0; i < n; i++)
		o = model_iter_next(&it);
	return o ? ((const struct host *)o)->name : "nobody";
}

static void roll_member(struct walk *w, struct choice_member_args *m, bool is_operator,
			struct tag_args *label)
{
	if (chance(w, 3))
		m->network = walk_some(w, KIND_VPC);
	if (!is_operator && !chance(w, 10))
		return;
	if (chance(w, 4))
		m->host = some_host_name(w);
	if (chance(w, 5))
		m->account = ACCOUNT_TEXT;
	if (chance(w, 6)) {
		*label = (struct tag_args){"environment", environments[walk_random(w, 2)]};
		m->labels = label;
		m->n_labels = 1;
	}
}

static int roll(struct walk *w, struct tx *tx, bool replace)
{
	static const char *const whats[] = {"siit",  "siit/1", "siit/2",  "vxlan",   "vxlan/1",
					    "ipip6", "crypt",  "crypt/1", "crypt/2", "integrity",
					    "lz4",   "rate",   "nonsense"};
	static const char *const effects[] = {"forbid", "require", "prefer", "pin"};
	static const char *const directions[] = {"both", "out", "in"};
	const struct caller *c = walk_random(w, 3) ? &w->c.admin : walk_someone(w);
	const char *what[3];
	char name[16];
	const uint32_t mbit = walk_random(w, 5) * 10;
	struct tag_args labels[2];
	struct choice_policy_args args = {.name = name, .what = what};
	const struct choice_policy *p;
	int r;

	snprintf(name, sizeof(name), "p%u", walk_random(w, 200));
	roll_member(w, &args.match, c->is_operator, &labels[0]);
	if (chance(w, 3))
		roll_member(w, &args.peer, c->is_operator, &labels[1]);
	if (chance(w, 5))
		args.environment = environments[walk_random(w, 2)];
	if (chance(w, 4)) {
		args.interfaces[0] = walk_some(w, KIND_INTERFACE);
		args.interfaces[1] = walk_some(w, KIND_INTERFACE);
	}
	args.direction = one_of(w, directions, 3);
	args.effect = one_of(w, effects, 4);
	for (args.n_what = 0; args.n_what < 1 + walk_random(w, 2); args.n_what++)
		what[args.n_what] = one_of(w, whats, ARRAY_SIZE(whats));
	if (chance(w, 3))
		args.rate_mbit = &mbit;
	if (chance(w, 5))
		args.notify = "source";
	r = replace ? choice_policy_replace(tx, c, walk_some(w, KIND_CHOICE_POLICY), &args, &p,
					    &w->c.refusal)
		    : choice_policy_create(tx, c, &args, &p, &w->c.refusal);
	if (!r)
		walk_remember(w, &p->o);
	return r;
}

static int step_environment(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_VPC);
	struct tag_args tag = {CHOICE_TAG_ENVIRONMENT, environments[walk_random(w, 2)]};

	if (chance(w, 3)) {
		tag.value = NULL;
		return tag_delete(tx, &w->c.me, &id, 1, &tag, 1, &w->c.refusal);
	}
	return tag_create(tx, &w->c.me, &id, 1, &tag, 1, &w->c.refusal);
}

static int step_report(struct walk *w, struct tx *tx)
{
	const struct host *h = host_find(w->c.m, some_host_name(w));
	uint32_t formats = (walk_random(w, 32) | walk_random(w, 32)) & ~1U;
	/* who has the one tunnel has the other */
	struct capabilities can = {
		.formats =
			formats & FORMAT_BIT(FORMAT_VXLAN_1) ? formats | FORMATS_GENEVE : formats,
		.features = walk_random(w, 32) | walk_random(w, 32),
		.required_features = chance(w, 4) ? walk_random(w, 32) : 0,
		.disallowed_features = chance(w, 4) ? walk_random(w, 32) : 0,
		.disallowed_formats = chance(w, 4) ? walk_random(w, 32) & ~1U : 0,
		.substrate_mtu = chance(w, 10) ? 0 : 1500,
		.probed_ms = 1 + walk_random(w, 100),
		.generation = walk_random(w, 100),
	};

	return host_report(tx, h ? h->number : 999, &can, &w->c.refusal);
}

int walk_step_choice(struct walk *w, struct tx *tx)
{
	switch (walk_random(w, 12)) {
	case 0:
	case 1:
		return step_environment(w, tx);
	case 2:
	case 3:
		return step_report(w, tx);
	case 4:
	case 5:
		return roll(w, tx, true);
	case 6:
	case 7:
	case 8:
		return choice_policy_delete(tx, walk_random(w, 3) ? &w->c.admin : walk_someone(w),
					    walk_some(w, KIND_CHOICE_POLICY), &w->c.refusal);
	default:
		return roll(w, tx, false);
	}
}
