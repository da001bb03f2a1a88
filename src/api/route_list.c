/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the operators' API in pages. */
#include "api/page.h"
#include "api/route.h"
#include "api/state.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/host.h"
#include "model/instance.h"

#include <string.h>

static int read_limit(struct route_call *c, uint32_t *ret)
{
	const char *text = route_query(c, "limit");

	*ret = LIMIT_API_PAGE_MAX;
	if (text && str_u32(text, 1, LIMIT_API_PAGE_MAX, ret))
		return route_refuse(c, 400, "BadRequest", "'limit' must be between 1 and %u",
				    LIMIT_API_PAGE_MAX);
	return 0;
}

/* An id that names nothing would show as an empty list. */
static int check_filter(struct route_call *c, const char *name, enum kind k)
{
	const char *text = route_query(c, name);
	const struct object *o = NULL;
	uint64_t id;

	if (!text)
		return 0;
	if (!id_parse(k, text, &id))
		o = model_get(c->model, k, id);
	if (o && caller_sees(&c->caller, o))
		return 0;
	return route_refuse(c, 404, "NotFound", "There is no %s '%.60s'; see /v1/%ss", name, text,
			    name);
}

/* Which hosts there are is for operators to know. */
static int check_host(struct route_call *c, const char *name)
{
	return c->caller.is_operator ? route_check_host_query(c, name) : 0;
}

/* Of instances, the only ones that have a state to ask for. */
static int check_state(struct route_call *c)
{
	static const enum instance_state states[] = {
		INSTANCE_PENDING,    INSTANCE_RUNNING,  INSTANCE_SHUTTING_DOWN,
		INSTANCE_TERMINATED, INSTANCE_STOPPING, INSTANCE_STOPPED,
	};
	const char *state = route_query(c, "state");

	if (!state)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(state, instance_state_text(states[i])))
			return 0;
	return route_refuse(c, 400, "BadRequest",
			    "'%.40s' is no state of an instance: pending, running, shutting-down, "
			    "terminated, stopping or stopped",
			    state);
}

static int check_filters(struct route_call *c)
{
	int r = check_filter(c, "network", KIND_VPC);

	if (!r)
		r = check_filter(c, "subnet", KIND_SUBNET);
	if (!r)
		r = check_filter(c, "instance", KIND_INSTANCE);
	if (!r)
		r = check_host(c, "host");
	if (!r)
		r = check_host(c, "edge");
	return r ? r : check_state(c);
}

static int read_next(struct route_call *c, struct page_mark *ret, bool *ret_given)
{
	const char *token = route_query(c, "next");
	int r;

	*ret_given = token;
	if (!token)
		return 0;
	r = page_decode(c->api->page_key, token, c->caller.account, page_list(c->route->path), ret);
	if (r == -EBADMSG)
		return route_refuse(c, 400, "BadRequest",
				    "'next' is not from this list: begin again without it");
	return r;
}

static int put_next(struct route_call *c, const struct object *last)
{
	struct page_mark mark = {
		.account = c->caller.account,
		.list = page_list(c->route->path),
		.kind = last->kind,
		.id = last->id,
		.serial = last->serial,
	};
	char token[PAGE_TOKEN_SIZE];
	int r = page_encode(c->api->page_key, &mark, token);

	if (!r)
		json_put_text(c, c->result, "next", token);
	return r;
}

int route_list_run_over(struct route_call *c, const struct route_list *l, struct model_iter it)
{
	const struct object *o, *last = NULL;
	struct page_mark after;
	uint32_t limit;
	bool given;
	json_t *list;
	int r;

	r = check_filters(c);
	if (!r)
		r = read_limit(c, &limit);
	if (!r)
		r = read_next(c, &after, &given);
	if (r)
		return r;
	if (given)
		model_iter_skip(c->model, &it, l->kind, after.id, after.serial);
	list = json_new_array(c);
	c->result = json_new_object(c);
	json_put(c, c->result, l->name, list);
	while (!c->failed && (o = model_iter_next(&it))) {
		json_t *shown = l->show(c, o);

		if (!shown)
			continue;
		if (json_array_size(list) >= limit) {
			json_decref(shown);
			return put_next(c, last);
		}
		/* An object may show as an array of several. */
		if (json_is_array(shown)) {
			if (json_array_extend(list, shown))
				c->failed = true;
			json_decref(shown);
		} else {
			json_append(c, list, shown);
		}
		last = o;
	}
	return 0;
}

int route_list_run(struct route_call *c, const struct route_list *l)
{
	return route_list_run_over(
		c, l,
		c->caller.is_operator ? model_iter_kind(c->model, l->kind)
				      : model_iter_account(c->model, l->kind, c->caller.account));
}
