/* SPDX-License-Identifier: Apache-2.0 */
/* Placement in the operators' API: what hosts have room for, asking where a node would go, and
 * starting one. */
#include "api/placement_json.h"
#include "api/route_handlers.h"
#include "base/limits.h"
#include "model/capability.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/placement.h"
#include "model/settings.h"
#include "model/subnet.h"
#include "model/zone.h"

#include <stdio.h>
#include <string.h>

/* ---- hosts ---- */

int placement_read_room(struct route_call *c, struct host_room_args *ret)
{
	int r = route_u32(c, "cost", &ret->cost);

	for (enum host_room i = 0; i < HOST_ROOM_MAX && !r; i++)
		r = route_u32(c, host_room_text(i), &ret->capacity[i]);
	return r;
}

/* Of each room: what there is (null: no end), and what is in use. */
void placement_put_room(struct route_call *c, json_t *o, const struct host *h)
{
	const struct placement_view *v = placement_view_of(c->model, h->number);
	json_t *room = json_new_object(c);

	for (enum host_room i = 0; i < HOST_ROOM_MAX; i++) {
		json_t *one = json_new_object(c);

		json_put(c, one, "capacity",
			 v->left[i] == UINT32_MAX
				 ? json_null()
				 : json_integer((json_int_t)placement_capacity(h, i)));
		json_put_u64(c, one, "used", v->used[i]);
		json_put(c, room, host_room_text(i), one);
	}
	json_put(c, o, "room", room);
	json_put_u64(c, o, "cost", h->cost);
}

static void put_name(void *data, const char *name)
{
	json_array_append_new(data, json_string(name));
}

void placement_put_capabilities(struct route_call *c, json_t *o, const struct host *h)
{
	json_t *names = json_new_array(c);

	capability_each(h, put_name, names);
	json_put(c, o, "can", names);
}

int route_host_set(struct route_call *c)
{
	struct host_room_args room = {};
	const struct tag_args *labels;
	const struct host *h;
	size_t n_labels;
	const char *aliases;
	int r = placement_read_room(c, &room);

	if (!r)
		r = route_bool(c, "drained", &room.drained);
	if (!r)
		r = route_tags(c, "labels", &labels, &n_labels);
	if (!r)
		r = route_text(c, "aliases", false, &aliases);
	if (!r && aliases)
		r = host_set_aliases(c->tx, &c->caller, c->segments[2], aliases, &h, &c->refusal);
	if (!r)
		r = host_set(c->tx, &c->caller, c->segments[2], &room, labels, n_labels, &h,
			     &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "host", route_show_host(c, &h->o));
	return 0;
}

/* ---- settings ---- */

static int show_settings(struct route_call *c)
{
	json_t *o = json_new_object(c);

	c->result = json_new_object(c);
	json_put_text(c, o, "placement", placement_strategy_text(settings_placement(c->model)));
	json_put(c, c->result, "settings", o);
	return 0;
}

int route_settings(struct route_call *c)
{
	return show_settings(c);
}

int route_settings_set(struct route_call *c)
{
	struct settings_args args = {};
	int r = route_text(c, "placement", false, &args.placement);

	if (!r)
		r = settings_set(c->tx, &c->caller, &args, &c->refusal);
	return r ? r : show_settings(c);
}

/* ---- what a node asks for ---- */

/* A list of names, as the text with commas that the tags have. */
static int read_names(struct route_call *c, const char *field, const char **ret)
{
	json_t *list = json_object_get(c->body, field), *name;
	size_t i, size = 1;
	char *text, *end;

	*ret = NULL;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return route_refuse(c, 400, "BadRequest", "'%s' must be an array of strings",
				    field);
	json_array_foreach (list, i, name) {
		const char *s = json_string_value(name);

		if (!s || !s[strspn(s, " \t")] || strchr(s, ',') ||
		    !form_text_is_valid(s, json_string_length(name)) ||
		    strlen(s) != json_string_length(name))
			return route_refuse(c, 400, "BadRequest",
					    "'%s' must be an array of names without commas", field);
		size += strlen(s) + 1;
	}
	text = end = arena_alloc(c->arena, size);
	if (!text)
		return -ENOMEM;
	*text = '\0';
	json_array_foreach (list, i, name)
		end = stpcpy(stpcpy(end, i ? "," : ""), json_string_value(name));
	*ret = json_array_size(list) ? text : NULL;
	return 0;
}

/* What beside tags a request for a node may name. */
struct wishes {
	const char *require, *desire, *near, *strategy;
	const uint32_t *max_cost;
	const char *type;
	struct placement_group_args group;
	const char *host;
};

static int read_wishes(struct route_call *c, struct wishes *w)
{
	int r = read_names(c, "require", &w->require);

	if (!r)
		r = read_names(c, "desire", &w->desire);
	if (!r)
		r = read_names(c, "near", &w->near);
	if (!r)
		r = route_u32(c, "max_cost", &w->max_cost);
	if (!r)
		r = route_text(c, "strategy", false, &w->strategy);
	if (!r)
		r = route_text(c, "type", false, &w->type);
	if (!r)
		r = route_text(c, "group", false, &w->group.name);
	if (!r)
		r = route_u32(c, "partition", &w->group.partition);
	return r ? r : route_text(c, "host", false, &w->host);
}

/* ---- the dry run ---- */

/* The account and the zone: of the subnet, or named by themselves. */
static int read_where(struct route_call *c, struct placement_request *r)
{
	const char *subnet, *account, *zone;
	const struct subnet *s;
	int code = route_text(c, "subnet", false, &subnet);

	if (!code)
		code = route_text(c, "account", false, &account);
	if (!code)
		code = route_text(c, "zone", false, &zone);
	if (code)
		return code;
	if (zone && !zone_find(c->model, zone))
		return route_refuse(c, 400, "BadRequest", "There is no zone '%.64s'", zone);
	if (account && (id_parse(KIND_ACCOUNT, account, &r->account) ||
			!model_get(c->model, KIND_ACCOUNT, r->account)))
		return route_refuse(c, 404, "NotFound", "There is no account '%.40s'", account);
	r->zone = zone ? zone_find(c->model, zone) : NULL;
	if (!subnet)
		return 0;
	if (account || zone)
		return route_refuse(c, 400, "BadRequest",
				    "'subnet' says account and zone already: leave them out");
	code = subnet_find(c->model, &c->caller, subnet, &s, &c->refusal);
	if (code)
		return code;
	r->account = s->o.account;
	r->zone = s->zone;
	return 0;
}

static int read_needs(struct route_call *c, const struct wishes *w, struct placement_request *r)
{
	const char *name = w->type ? w->type : INSTANCE_TYPE_DEFAULT;
	const struct instance_type *t = instance_type_find(name);
	const uint32_t *interfaces, *count;
	int code = route_u32(c, "interfaces", &interfaces);

	if (!code)
		code = route_u32(c, "count", &count);
	if (code)
		return code;
	if (count && !*count)
		return refuse(&c->refusal, MODEL_E_VALUE, "0", "count", "It is 1 or more.");
	if (!t)
		return refuse(&c->refusal, MODEL_E_INSTANCE_TYPE_UNKNOWN, name);
	placement_needs(t, interfaces ? *interfaces : 1, r->needs);
	r->what = t->name;
	r->together = count ? *count : 1;
	return 0;
}

static int read_request(struct route_call *c, struct placement_request *r)
{
	struct wishes w = {};
	const struct host *h;
	int code = read_wishes(c, &w);

	if (!code)
		code = read_where(c, r);
	if (!code)
		code = read_needs(c, &w, r);
	if (!code)
		code = placement_group_resolve(c->model, r->account, &w.group, &r->group,
					       &r->partition, &c->refusal);
	if (code)
		return code;
	r->require = w.require;
	r->desire = w.desire;
	r->near = w.near;
	r->limits_cost = w.max_cost;
	r->max_cost = w.max_cost ? *w.max_cost : 0;
	if (w.strategy && placement_strategy_parse(w.strategy, &r->strategy))
		return refuse(&c->refusal, MODEL_E_VALUE, w.strategy, "strategy",
			      "It is least-loaded or round-robin.");
	h = w.host ? host_find(c->model, w.host) : NULL;
	if (w.host && !h)
		return refuse(&c->refusal, MODEL_E_HOST_NOT_FOUND, w.host);
	r->only = h ? h->number : 0;
	return 0;
}

static json_t *show_verdict(struct route_call *c, const struct placement_request *r,
			    const struct placement_verdict *v, bool chosen)
{
	char text[PLACEMENT_TEXT_SIZE];
	json_t *o = json_new_object(c);

	json_put_text(c, o, "host", v->host->name);
	json_put_text(c, o, "verdict", v->reason ? "rejected" : chosen ? "chosen" : "fits");
	json_put_text(c, o, "reason", v->reason ? placement_reason_text(v->reason) : NULL);
	json_put_text(c, o, "text", v->reason ? placement_text(c->model, r, v, text) : NULL);
	json_put_u64(c, o, "load", v->load);
	if (v->reason)
		return o;
	json_put_bool(c, o, "has_desired", !v->rank.lacks_desired);
	json_put_u64(c, o, "distance", v->rank.distance);
	json_put_u64(c, o, "cost", v->rank.cost);
	json_put_u64(c, o, "in_rack", v->rank.in_rack);
	return o;
}

static void show_explanation(struct route_call *c, const struct placement_request *r,
			     const struct placement_explanation *e)
{
	bool fits = e->n && !e->verdicts[0].reason;
	json_t *o = json_new_object(c), *list = json_new_array(c);

	c->result = json_new_object(c);
	json_put_text(c, o, "host", fits ? e->verdicts[0].host->name : NULL);
	json_put(c, o, "partition", e->partition ? json_integer(e->partition) : json_null());
	json_put_text(c, o, "error", fits ? NULL : e->refusal.message);
	for (size_t i = 0; i < e->n; i++)
		json_append(c, list, show_verdict(c, r, &e->verdicts[i], !i));
	json_put(c, o, "hosts", list);
	json_put(c, c->result, "placement", o);
}

int route_placement(struct route_call *c)
{
	struct placement_request r = {};
	struct placement_explanation e;
	int code = read_request(c, &r);

	if (!code && r.group && r.zone)
		code = placement_group_admit(c->model, r.group, r.zone, &c->refusal);
	if (!code)
		code = placement_explain(c->model, &r, &e, &c->refusal);
	if (code)
		return code;
	show_explanation(c, &r, &e);
	placement_explanation_deinit(&e);
	return 0;
}

/* ---- starting ---- */

enum { WISHES = 5 };

/* The tags of the request, and the wishes as tags. */
static int read_run_tags(struct route_call *c, const struct wishes *w,
			 struct instance_run_args *args)
{
	const struct tag_args *given;
	struct tag_args *tags;
	char *cost = arena_alloc(c->arena, 16);
	size_t n;
	int r = route_tags(c, "tags", &given, &n);

	if (r)
		return r;
	tags = arena_alloc_array(c->arena, n + WISHES, sizeof(*tags));
	if (!tags || !cost)
		return -ENOMEM;
	snprintf(cost, 16, "%u", w->max_cost ? *w->max_cost : 0);
	const struct tag_args wished[WISHES] = {
		{PLACEMENT_TAG_REQUIRE, w->require},
		{PLACEMENT_TAG_DESIRE, w->desire},
		{PLACEMENT_TAG_NEAR, w->near},
		{PLACEMENT_TAG_STRATEGY, w->strategy},
		{PLACEMENT_TAG_MAX_COST, w->max_cost ? cost : NULL},
	};
	for (size_t i = 0; i < n; i++)
		tags[i] = given[i];
	for (size_t i = 0; i < WISHES; i++)
		if (wished[i].value)
			tags[n++] = wished[i];
	args->tags = tags;
	args->n_tags = n;
	return 0;
}

static int read_run(struct route_call *c, struct instance_run_args *args)
{
	const uint32_t *count;
	struct wishes w = {};
	int r = read_wishes(c, &w);

	if (!r)
		r = route_text(c, "subnet", false, &args->subnet_id);
	if (!r)
		r = route_text(c, "zone", false, &args->zone);
	if (!r)
		r = route_u32(c, "count", &count);
	if (!r)
		r = read_run_tags(c, &w, args);
	if (r)
		return r;
	args->min_count = args->max_count = count ? *count : 1;
	args->type = w.type;
	args->group = w.group;
	args->host = w.host;
	return 0;
}

int route_instance_run(struct route_call *c)
{
	struct instance_run_args args = {};
	const struct instance **made;
	json_t *list;
	size_t n;
	int r = read_run(c, &args);

	if (r)
		return r;
	made = arena_alloc_array(c->arena, LIMIT_MODEL_RUN_COUNT, sizeof(*made));
	if (!made)
		return -ENOMEM;
	r = instance_run(c->tx, &c->caller, &args, made, &n, &c->refusal);
	if (r)
		return r;
	c->status = 201;
	c->result = json_new_object(c);
	list = json_new_array(c);
	for (size_t i = 0; i < n; i++)
		json_append(c, list, route_show_instance(c, &made[i]->o));
	json_put(c, c->result, "instances", list);
	return 0;
}
