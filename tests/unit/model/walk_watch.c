/* SPDX-License-Identifier: Apache-2.0 */
/* The random walk's steps with flow logs and traffic mirroring, and what the twin knows of them.
 * See walk.h. */

#include "model/flow_log.h"
#include "model/mirror.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/model/walk.h"

static int step_flow_log(struct walk *w, struct tx *tx)
{
	static const struct {
		const char *text;
		enum kind kind;
	} types[] = {
		{"VPC", KIND_VPC}, {"Subnet", KIND_SUBNET}, {"NetworkInterface", KIND_INTERFACE}};
	uint32_t n = walk_random(w, ARRAY_SIZE(types));
	struct flow_log_create_args args = {
		.resource_type = types[n].text,
		.resource_id = walk_some(w, types[n].kind),
		.traffic_type = walk_random(w, 2) ? "ALL" : "REJECT",
		.group_name = walk_random(w, 3) ? "a" : "b",
		.interval = 60,
	};
	const struct flow_log *f;
	int r = flow_log_create(tx, walk_someone(w), &args, &f, &w->c.refusal);

	if (!r)
		walk_remember(w, &f->o);
	return r;
}

static int step_target(struct walk *w, struct tx *tx)
{
	struct mirror_target_args args = {.interface_id = walk_some(w, KIND_INTERFACE)};
	const struct mirror_target *t;
	int r = mirror_target_create(tx, walk_someone(w), &args, &t, &w->c.refusal);

	if (!r)
		walk_remember(w, &t->o);
	return r;
}

static int step_filter(struct walk *w, struct tx *tx)
{
	struct mirror_filter_args args = {};
	const struct mirror_filter *f;
	int r = mirror_filter_create(tx, walk_someone(w), &args, &f, &w->c.refusal);

	if (!r)
		walk_remember(w, &f->o);
	return r;
}

static int step_rule(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_MIRROR_FILTER);
	uint32_t number = walk_random(w, 4);
	struct mirror_rule_args args = {
		.filter_id = id,
		.direction = walk_random(w, 2) ? "egress" : "ingress",
		.action = walk_random(w, 2) ? "accept" : "reject",
		.source = walk_random(w, 4) ? "10.0.0.0/8" : "::/0",
		.destination = walk_random(w, 4) ? "0.0.0.0/0" : "::/0",
		.number = &number,
	};
	const struct mirror_filter *f;
	const struct mirror_rule *rule;
	char text[ID_TEXT_SIZE];

	if (!mirror_filter_find(w->c.m, &w->c.admin, id, &f, NULL) && f->n_rules &&
	    walk_random(w, 2)) {
		id_text_prefixed(ID_PREFIX_MIRROR_RULE, f->rules[0].id, text);
		if (walk_random(w, 2))
			return mirror_rule_delete(tx, walk_someone(w), text, &w->c.refusal);
		return mirror_rule_modify(tx, walk_someone(w), text, &args, &f, &rule,
					  &w->c.refusal);
	}
	return mirror_rule_create(tx, walk_someone(w), &args, &f, &rule, &w->c.refusal);
}

static int step_session(struct walk *w, struct tx *tx)
{
	uint32_t number = walk_random(w, 4);
	struct mirror_session_args args = {
		.interface_id = walk_some(w, KIND_INTERFACE),
		.target_id = walk_some(w, KIND_MIRROR_TARGET),
		.filter_id = walk_some(w, KIND_MIRROR_FILTER),
		.number = &number,
	};
	const struct mirror_session *s;
	int r;

	if (walk_random(w, 3))
		r = mirror_session_create(tx, walk_someone(w), &args, &s, &w->c.refusal);
	else
		r = mirror_session_modify(tx, walk_someone(w), walk_some(w, KIND_MIRROR_SESSION),
					  &args, &s, &w->c.refusal);
	if (!r)
		walk_remember(w, &s->o);
	return r;
}

static int step_end(struct walk *w, struct tx *tx)
{
	const struct caller *who = walk_someone(w);

	switch (walk_random(w, 4)) {
	case 0:
		return flow_log_delete(tx, who, walk_some(w, KIND_FLOW_LOG), &w->c.refusal);
	case 1:
		return mirror_target_delete(tx, who, walk_some(w, KIND_MIRROR_TARGET),
					    &w->c.refusal);
	case 2:
		return mirror_filter_delete(tx, who, walk_some(w, KIND_MIRROR_FILTER),
					    &w->c.refusal);
	default:
		return mirror_session_delete(tx, who, walk_some(w, KIND_MIRROR_SESSION),
					     &w->c.refusal);
	}
}

int walk_step_watch(struct walk *w, struct tx *tx)
{
	static int (*const steps[])(struct walk * w, struct tx * tx) = {
		step_flow_log, step_target,  step_filter,  step_rule,
		step_rule,     step_session, step_session, step_end,
	};

	return steps[walk_random(w, ARRAY_SIZE(steps))](w, tx);
}

bool twin_watch_key(const struct object *o, enum relation r, uint64_t *ret)
{
	const struct mirror_session *s = (const struct mirror_session *)o;

	if (o->kind == KIND_FLOW_LOG && r == REL_RESOURCE_FLOW_LOGS)
		return *ret = ((const struct flow_log *)o)->resource, true;
	if (o->kind == KIND_MIRROR_TARGET && r == REL_INTERFACE_MIRROR_TARGETS)
		return *ret = ((const struct mirror_target *)o)->interface, true;
	if (o->kind != KIND_MIRROR_SESSION)
		return false;
	if (r == REL_INTERFACE_MIRROR_SESSIONS)
		return *ret = s->interface, true;
	if (r == REL_TARGET_MIRROR_SESSIONS)
		return *ret = s->target, true;
	return r == REL_FILTER_MIRROR_SESSIONS && (*ret = s->filter, true);
}
