/* SPDX-License-Identifier: Apache-2.0 */
/* Policies for negotiation, and what a change of them would lead to. */
#include <stdio.h>
#include <string.h>

#include "api/route_handlers.h"
#include "api/state.h"
#include "policy_schema.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/choice_progress.h"
#include "model/choice_preview.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/tag.h"
#include "model/vpc.h"

/* ---- showing ---- */

static json_t *show_labels(struct route_call *c, const struct choice_member *m)
{
	json_t *o = json_new_object(c);

	for (size_t i = 0; i < m->n_labels; i++)
		json_put_text(c, o, m->labels[i].key, m->labels[i].value ? m->labels[i].value : "");
	return o;
}

static void put_member(struct route_call *c, json_t *o, const struct choice_member *m)
{
	const struct object *h = m->host ? model_get(c->model, KIND_HOST, m->host) : NULL;

	if (m->host && h)
		json_put_text(c, o, "host", ((const struct host *)h)->name);
	else if (m->host)
		json_put_id(c, o, "host", KIND_HOST, m->host);
	if (m->n_labels)
		json_put(c, o, "host_label", show_labels(c, m));
	if (m->vpc)
		json_put_id(c, o, "network", KIND_VPC, m->vpc);
	if (m->account)
		json_put_account(c, o, m->account);
}

static bool says_something(const struct choice_member *m)
{
	return m->host || m->n_labels || m->vpc || m->account;
}

/* As it is written in a request. */
static json_t *show_match(struct route_call *c, const struct choice_policy *p)
{
	json_t *o = json_new_object(c), *peer, *interfaces;

	if (p->environment)
		json_put_text(c, o, "environment", p->environment);
	put_member(c, o, &p->one);
	if (says_something(&p->other)) {
		peer = json_new_object(c);
		put_member(c, peer, &p->other);
		json_put(c, o, "peer", peer);
	}
	if (p->interfaces[0]) {
		interfaces = json_new_array(c);
		for (size_t i = 0; i < 2; i++) {
			char id[ID_TEXT_SIZE];

			json_append(c, interfaces,
				    json_string(id_text(KIND_INTERFACE, p->interfaces[i], id)));
		}
		json_put(c, o, "interfaces", interfaces);
	}
	json_put_text(c, o, "direction", choice_direction_text(p->direction));
	return o;
}

static json_t *show_policy(struct route_call *c, const struct object *object)
{
	const struct choice_policy *p = (const struct choice_policy *)object;
	json_t *o = json_new_object(c), *what = json_new_array(c), *rate;

	json_put_identity(c, o, object);
	json_put_text(c, o, "name", p->name);
	json_put(c, o, "match", show_match(c, p));
	json_put_text(c, o, "effect", choice_effect_text(p->effect));
	for (size_t i = 0; i < p->n_what; i++)
		json_append(c, what, json_string(p->what[i].text));
	json_put(c, o, "what", what);
	if (p->rate_bits) {
		rate = json_new_object(c);
		json_put_u64(c, rate, "mbit", p->rate_bits / 1000000);
		json_put_u64(c, rate, "burst_kib", p->rate_burst / 1024);
		json_put(c, o, "rate", rate);
	}
	json_put_text(c, o, "notify", p->source_only ? "source" : "both");
	json_put_text(c, o, "state", choice_progress_text(choice_progress_of(c->model, p)));
	json_put_time(c, o, "created_at", object->created_ms);
	return o;
}

int route_policies(struct route_call *c)
{
	static const struct route_list list = {"policies", KIND_CHOICE_POLICY, show_policy};

	return route_list_run(c, &list);
}

int route_policy(struct route_call *c)
{
	const struct choice_policy *p;
	int r = choice_policy_find(c->model, &c->caller, c->segments[2], &p, &c->refusal);

	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "policy", show_policy(c, &p->o));
	return 0;
}

int route_policy_schema(struct route_call *c)
{
	c->result = json_loads(policy_schema, 0, NULL);
	return c->result ? 0 : -ENOMEM;
}

/* ---- reading ---- */

/* Refuses what a policy has not; 'known' ends with NULL. */
static int check_names(struct route_call *c, const json_t *o, const char *where,
		       const char *const *known)
{
	const char *key;
	char names[128] = "";
	json_t *value;

	for (size_t i = 0, n = 0; known[i] && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, " %s", known[i]);
	json_object_foreach ((json_t *)(uintptr_t)o, key, value) {
		size_t i = 0;

		while (known[i] && strcmp(known[i], key))
			i++;
		if (!known[i])
			return route_refuse(c, 400, "BadRequest",
					    "'%s' has no '%.60s'; what it may have:%s", where, key,
					    names);
	}
	return 0;
}

static int read_text(struct route_call *c, const json_t *o, const char *name, const char **ret)
{
	const json_t *v = json_object_get(o, name);

	*ret = NULL;
	if (!v || json_is_null(v))
		return 0;
	*ret = json_string_value(v);
	if (!*ret || strlen(*ret) != json_string_length(v) ||
	    !form_text_is_valid(*ret, strlen(*ret)))
		return route_refuse(c, 400, "BadRequest",
				    "'%s' must be a string without control characters", name);
	return 0;
}

static int read_labels(struct route_call *c, const json_t *o, struct choice_member_args *m)
{
	json_t *labels = json_object_get(o, "host_label"), *value;
	struct tag_args *tags;
	const char *key;

	if (!labels || json_is_null(labels))
		return 0;
	if (!json_is_object(labels))
		return route_refuse(c, 400, "BadRequest",
				    "'host_label' must be an object of strings");
	tags = arena_alloc_array(c->arena, json_object_size(labels) + 1, sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	json_object_foreach (labels, key, value) {
		if (!json_is_string(value) ||
		    strlen(json_string_value(value)) != json_string_length(value))
			return route_refuse(c, 400, "BadRequest",
					    "The label '%.100s' must be a string", key);
		tags[m->n_labels++] = (struct tag_args){key, json_string_value(value)};
	}
	m->labels = tags;
	return 0;
}

static int read_member(struct route_call *c, const json_t *o, struct choice_member_args *m)
{
	int r = read_text(c, o, "host", &m->host);

	if (!r)
		r = read_text(c, o, "network", &m->network);
	if (!r)
		r = read_text(c, o, "account", &m->account);
	return r ? r : read_labels(c, o, m);
}

static int read_interfaces(struct route_call *c, const json_t *o, struct choice_policy_args *args)
{
	const json_t *list = json_object_get(o, "interfaces");

	if (!list || json_is_null(list))
		return 0;
	if (json_array_size(list) != 2 || !json_is_string(json_array_get(list, 0)) ||
	    !json_is_string(json_array_get(list, 1)))
		return route_refuse(c, 400, "BadRequest",
				    "'interfaces' must be an array of two ids");
	for (size_t i = 0; i < 2; i++)
		args->interfaces[i] = json_string_value(json_array_get(list, i));
	return 0;
}

static int read_match(struct route_call *c, struct choice_policy_args *args)
{
	static const char *const known[] = {"environment", "account",    "network",
					    "host",        "host_label", "peer",
					    "interfaces",  "direction",  NULL};
	static const char *const of_peer[] = {"account", "network", "host", "host_label", NULL};
	const json_t *match = json_object_get(c->body, "match"), *peer;
	int r;

	if (!match || json_is_null(match))
		return 0;
	peer = json_object_get(match, "peer");
	if (!json_is_object(match) || (peer && !json_is_null(peer) && !json_is_object(peer)))
		return route_refuse(c, 400, "BadRequest", "'match' and its 'peer' must be objects");
	r = check_names(c, match, "match", known);
	if (!r && json_is_object(peer))
		r = check_names(c, peer, "match.peer", of_peer);
	if (!r)
		r = read_member(c, match, &args->match);
	if (!r && json_is_object(peer))
		r = read_member(c, peer, &args->peer);
	if (!r)
		r = read_text(c, match, "environment", &args->environment);
	if (!r)
		r = read_text(c, match, "direction", &args->direction);
	return r ? r : read_interfaces(c, match, args);
}

static int read_what(struct route_call *c, struct choice_policy_args *args)
{
	const json_t *what = json_object_get(c->body, "what"), *value;
	const char **list;
	size_t i;

	if (!what || json_is_null(what))
		return 0;
	if (!json_is_array(what) || json_array_size(what) > LIMIT_API_LIST)
		return route_refuse(c, 400, "BadRequest", "'what' must be an array of strings");
	list = arena_alloc_array(c->arena, json_array_size(what) + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	json_array_foreach (what, i, value) {
		if (!json_is_string(value))
			return route_refuse(c, 400, "BadRequest",
					    "'what' must be an array of strings");
		list[args->n_what++] = json_string_value(value);
	}
	args->what = list;
	return 0;
}

static int read_number(struct route_call *c, const json_t *o, const char *name,
		       const uint32_t **ret)
{
	const json_t *v = json_object_get(o, name);
	uint32_t *number;

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return route_refuse(c, 400, "BadRequest", "'rate.%s' must be a number, 0 to %u",
				    name, UINT32_MAX);
	number = arena_alloc(c->arena, sizeof(*number));
	if (!number)
		return -ENOMEM;
	*number = (uint32_t)json_integer_value(v);
	*ret = number;
	return 0;
}

static int read_policy(struct route_call *c, struct choice_policy_args *args)
{
	static const char *const of_rate[] = {"mbit", "burst_kib", NULL};
	const json_t *rate = json_object_get(c->body, "rate");
	int r = route_text(c, "name", true, &args->name);

	if (!r)
		r = route_text(c, "effect", true, &args->effect);
	if (!r)
		r = route_text(c, "notify", false, &args->notify);
	if (!r)
		r = read_match(c, args);
	if (!r)
		r = read_what(c, args);
	if (r || !rate || json_is_null(rate))
		return r;
	if (!json_is_object(rate))
		return route_refuse(c, 400, "BadRequest", "'rate' must be an object");
	if (!json_object_size(rate))
		return route_refuse(c, 400, "BadRequest", "'rate' must have 'mbit'");
	r = check_names(c, rate, "rate", of_rate);
	if (!r)
		r = read_number(c, rate, "mbit", &args->rate_mbit);
	return r ? r : read_number(c, rate, "burst_kib", &args->rate_burst_kib);
}

/* ---- doing, or trying ---- */

struct doing {
	struct route_call *c;
	const char *id; /* NULL: a new one */
	bool remove;
	struct choice_policy_args args;
	const struct choice_policy *policy;
};

static int operate(struct tx *tx, void *arg)
{
	struct doing *d = arg;
	struct route_call *c = d->c;

	if (d->remove)
		return choice_policy_delete(tx, &c->caller, d->id, &c->refusal);
	if (d->id)
		return choice_policy_replace(tx, &c->caller, d->id, &d->args, &d->policy,
					     &c->refusal);
	return choice_policy_create(tx, &c->caller, &d->args, &d->policy, &c->refusal);
}

struct preview {
	struct route_call *c;
	json_t *list; /* NULL: it is done, not tried */
	uint64_t total;
	uint64_t n_lost;              /* directions that had a choice and have none */
	const struct host *from, *to; /* of the first of these */
};

static json_t *show_wish(struct route_call *c, const struct wish *w)
{
	json_t *o = json_new_object(c);

	json_put_text(c, o, "send", format_name(w->send));
	json_put_features(c, o, "features", w->features);
	json_put_u64(c, o, "rate_bits", w->rate.bits);
	json_put_bool(c, o, "inferred", w->inferred);
	json_put_u64(c, o, "overhead", w->overhead);
	return o;
}

static void put_vpc(struct route_call *c, json_t *o, const char *key, uint32_t vni)
{
	const struct vpc *v = vni ? vpc_by_vni(c->model, vni) : NULL;

	json_put_id(c, o, key, KIND_VPC, v ? v->o.id : 0);
}

/* For operators, since it names the hosts and what they have; NULL: something would be sent. */
static const char *why_nothing(struct route_call *c, const struct pair_difference *d,
			       char buf[static CHOICE_REASON_SIZE])
{
	struct wish wish;

	if (d->after->send != FORMAT_NONE || !c->caller.is_operator)
		return NULL;
	pair_wish_by(c->model, choice_rules_of(c->model), d->from, d->to, d->class, &wish);
	memcpy(buf, wish.reason, CHOICE_REASON_SIZE);
	return buf;
}

static int note_difference(void *data, const struct pair_difference *d)
{
	struct preview *p = data;
	struct wish before = *d->before;
	struct route_call *c = p->c;
	char reason[CHOICE_REASON_SIZE];
	json_t *o;

	if (before.send != FORMAT_NONE && d->after->send == FORMAT_NONE && !p->n_lost++) {
		p->from = d->from;
		p->to = d->to;
	}
	before.policy = d->after->policy; /* another policy alone is no other choice, */
	if (!before.inferred && !d->after->inferred) { /* nor is what no receiver takes beside it */
		before.permitted_formats = d->after->permitted_formats;
		before.permitted_features = d->after->permitted_features;
	}
	if (!p->list || wish_equal(&before, d->after) || p->total++ >= LIMIT_API_PAGE_MAX)
		return 0;
	o = json_new_object(c);
	/* which hosts there are is for operators to know */
	json_put_text(c, o, "from", c->caller.is_operator ? d->from->name : NULL);
	json_put_text(c, o, "to", c->caller.is_operator ? d->to->name : NULL);
	put_vpc(c, o, "network", d->class->vni);
	put_vpc(c, o, "peer_network", d->class->peer_vni);
	json_put_id(c, o, "interface", KIND_INTERFACE, d->class->interface);
	json_put_id(c, o, "peer_interface", KIND_INTERFACE, d->class->peer_interface);
	json_put(c, o, "before", show_wish(c, d->before));
	json_put(c, o, "after", show_wish(c, d->after));
	json_put_text(c, o, "reason", why_nothing(c, d, reason));
	json_append(c, p->list, o);
	return 0;
}

/* Nobody has to ask first: who leaves pairs with nothing is told, whether it is done or tried. */
static void put_lost(struct preview *p, bool tried)
{
	struct route_call *c = p->c;
	char example[192] = "", why[192] = "";

	json_put_u64(c, c->result, "left_with_nothing", p->n_lost);
	if (!p->n_lost) {
		json_put_text(c, c->result, "warning", NULL);
		return;
	}
	/* which hosts there are is for operators to know */
	if (c->caller.is_operator)
		snprintf(example, sizeof(example), ", for example from %.64s to %.64s",
			 p->from->name, p->to->name);
	if (c->caller.is_operator && !tried)
		snprintf(why, sizeof(why), " (\"viaduct pair %.64s %.64s\" says why)",
			 p->from->name, p->to->name);
	json_put(c, c->result, "warning",
		 json_sprintf("Nothing %s between hosts any more in %llu direction%s, for want of "
			      "anything in common%s%s%s",
			      tried ? "would be sent" : "is sent", (unsigned long long)p->n_lost,
			      p->n_lost == 1 ? "" : "s", example, why,
			      tried ? ""
				    : "; a dry run lists them beforehand, and changes "
				      "nothing"));
}

static int try_it(struct doing *d)
{
	struct route_call *c = d->c;
	struct preview p = {.c = c, .list = json_new_array(c)};
	int r;

	c->result = json_new_object(c);
	json_put(c, c->result, "changes", p.list);
	r = choice_preview(c->tx, operate, d, note_difference, &p);
	json_put_bool(c, c->result, "dry_run", true);
	json_put_u64(c, c->result, "total", p.total);
	if (!r)
		put_lost(&p, true);
	return r;
}

static int run(struct doing *d)
{
	struct route_call *c = d->c;
	const char *dry = route_query(c, "dry-run");
	struct preview p = {.c = c};
	int r;

	if (dry && strcmp(dry, "true") && strcmp(dry, "false"))
		return route_refuse(c, 400, "BadRequest", "'dry-run' must be true or false");
	if (dry && !strcmp(dry, "true"))
		return try_it(d);
	r = choice_operate(c->tx, operate, d, note_difference, &p);
	if (r)
		return r;
	c->result = json_new_object(c);
	put_lost(&p, false);
	if (d->policy)
		json_put(c, c->result, "policy", show_policy(c, &d->policy->o));
	if (!d->id)
		c->status = 201;
	return 0;
}

int route_policy_create(struct route_call *c)
{
	struct doing d = {.c = c};
	int r = read_policy(c, &d.args);

	return r ? r : run(&d);
}

int route_policy_replace(struct route_call *c)
{
	struct doing d = {.c = c, .id = c->segments[2]};
	const struct choice_policy *old;
	int r = choice_policy_find(c->model, &c->caller, d.id, &old, &c->refusal);

	if (!r)
		r = read_policy(c, &d.args);
	return r ? r : run(&d);
}

int route_policy_delete(struct route_call *c)
{
	struct doing d = {.c = c, .id = c->segments[2], .remove = true};

	return run(&d);
}
