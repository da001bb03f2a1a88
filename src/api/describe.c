/* SPDX-License-Identifier: Apache-2.0 */
#include "api/describe.h"

#include <stdio.h>
#include <string.h>

#include "api/action.h"
#include "api/param.h"
#include "api/state.h"
#include "base/limits.h"
#include "base/str.h"

int page_run_refuse(struct ec2_call *c)
{
	return ec2_refuse(c, 400, "InvalidNextToken",
			  "The token '%.200s' is invalid or has expired: begin again without one",
			  param_text(c, "NextToken"));
}

int page_run_begin_within(struct ec2_call *c, uint32_t min, uint32_t max, struct page_run *p)
{
	const char *limit = param_text(c, "MaxResults");
	const char *token = param_text(c, "NextToken");
	int r;

	*p = (struct page_run){.limit = UINT32_MAX};
	if (limit) {
		p->limit = param_u32(c, "MaxResults", 0);
		if (p->limit < min)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Value ( %u ) for parameter maxResults is invalid. "
					  "Expecting a value greater than or equal to %u.",
					  p->limit, min);
		if (p->limit > max)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Value ( %u ) for parameter maxResults is invalid. "
					  "Expecting a value less than or equal to %u.",
					  p->limit, max);
	}
	if (!token || !*token)
		return 0;
	r = page_decode(c->api->page_key, token, c->caller.account, page_list(c->action->name),
			&p->after);
	if (r == -EBADMSG)
		return page_run_refuse(c);
	p->begun_before = !r;
	return r;
}

int page_run_begin(struct ec2_call *c, struct page_run *p)
{
	return page_run_begin_within(c, LIMIT_API_PAGE_MIN, LIMIT_API_PAGE_MAX, p);
}

bool page_run_admit(struct page_run *p)
{
	if (p->n == p->limit) {
		p->more = true;
		return false;
	}
	p->n++;
	return true;
}

int page_run_end(struct ec2_call *c, struct page_run *p)
{
	char token[PAGE_TOKEN_SIZE];
	int r;

	if (!p->more)
		return 0;
	p->last.account = c->caller.account;
	p->last.list = page_list(c->action->name);
	r = page_encode(c->api->page_key, &p->last, token);
	if (!r)
		xml_text(c->xml, "nextToken", token);
	return r;
}

struct listing {
	const struct describe *describe;
	struct filter_set filters;
	struct page_run page;
	void *data;
};

static bool shows(const struct ec2_call *c, const struct listing *l, const struct object *o)
{
	if (o->kind != l->describe->kind)
		return false;
	if (l->describe->shows && !l->describe->shows(c, o))
		return false;
	return filter_passes(c, &l->filters, o, o);
}

/* False when the page is full. */
static bool show(struct ec2_call *c, struct listing *l, const struct object *o)
{
	if (!shows(c, l, o))
		return true;
	if (!page_run_admit(&l->page))
		return false;
	l->describe->write(c, o, l->data);
	l->page.last.kind = o->kind;
	l->page.last.id = o->id;
	l->page.last.serial = o->serial;
	return true;
}

/* Instances that are not there are named all at once, as EC2 does. */
static int refuse_instances(struct ec2_call *c, const char *const *ids, size_t n)
{
	char missing[400] = "";
	size_t length = 0, n_missing = 0;
	const struct object *o;
	uint64_t id;

	for (size_t i = 0; i < n; i++) {
		if (id_parse(KIND_INSTANCE, ids[i], &id))
			return ec2_refuse(c, 400, "InvalidInstanceID.Malformed",
					  "Invalid id: \"%.100s\"", ids[i]);
		o = model_get(c->model, KIND_INSTANCE, id);
		if (o && caller_sees(&c->caller, o))
			continue;
		if (length < sizeof(missing) - ID_TEXT_SIZE)
			length += (size_t)snprintf(missing + length, sizeof(missing) - length,
						   "%s%s", n_missing ? ", " : "", ids[i]);
		n_missing++;
	}
	if (n_missing > 1)
		return ec2_refuse(c, 400, "InvalidInstanceID.NotFound",
				  "The instance IDs '%s' do not exist", missing);
	return ec2_refuse(c, 400, "InvalidInstanceID.NotFound",
			  "The instance ID '%s' does not exist", missing);
}

static int compare_serial(const void *pa, const void *pb)
{
	const struct object *a = *(const struct object *const *)pa;
	const struct object *b = *(const struct object *const *)pb;

	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

/* Those named by id, each once, in the order of creation. */
static int list_named(struct ec2_call *c, struct listing *l, const char *const *ids, size_t n)
{
	const struct object **objects = arena_alloc_array(c->arena, n, sizeof(*objects));
	int r;

	if (!objects)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = l->describe->find(c->model, &c->caller, ids[i], &objects[i], &c->refusal);
		if (r > 0 && l->describe->kind == KIND_INSTANCE)
			return refuse_instances(c, ids, n);
		if (r)
			return r;
	}
	qsort(objects, n, sizeof(*objects), compare_serial);
	for (size_t i = 0; i < n; i++) {
		if (i && objects[i] == objects[i - 1])
			continue;
		if (l->page.begun_before && objects[i]->serial <= l->page.after.serial)
			continue;
		if (!show(c, l, objects[i]))
			break;
	}
	return 0;
}

/* Chooses the shortest list that a filter points at; NULL in '*ret_one' unless it is one object. */
static struct model_iter choose_list(struct ec2_call *c, const struct listing *l, bool *ret_none,
				     const struct object **ret_one)
{
	const struct describe_group *g = l->describe->groups;
	uint64_t id;

	*ret_none = false;
	*ret_one = NULL;
	for (; g && g->filter; g++) {
		const char *value = filter_exact(&l->filters, g->filter);

		if (!value)
			continue;
		if (id_parse(g->kind, value, &id)) {
			*ret_none = true;
			break;
		}
		if (g->kind == l->describe->kind) {
			*ret_one = model_get(c->model, g->kind, id);
			*ret_none = !*ret_one;
			break;
		}
		return model_iter_group(c->model, g->relation, id);
	}
	if (c->caller.is_operator)
		return model_iter_kind(c->model, l->describe->kind);
	return model_iter_account(c->model, l->describe->kind, c->caller.account);
}

/* Of a group, whose members may be others'. */
static bool show_own(struct ec2_call *c, struct listing *l, const struct object *o)
{
	return !caller_sees(&c->caller, o) || show(c, l, o);
}

static void list_all(struct ec2_call *c, struct listing *l)
{
	const struct object *o;
	struct model_iter it;
	bool none;

	it = choose_list(c, l, &none, &o);
	if (none)
		return;
	if (o) {
		if (!l->page.begun_before)
			show_own(c, l, o);
		return;
	}
	if (l->page.begun_before)
		model_iter_skip(c->model, &it, l->describe->kind, l->page.after.id,
				l->page.after.serial);
	while ((o = model_iter_next(&it)))
		if (!show_own(c, l, o))
			break;
}

int describe_run(struct ec2_call *c, const struct describe *d, const char *set,
		 void (*end)(struct ec2_call *c, void *data), void *data)
{
	struct listing l = {.describe = d, .data = data};
	const char *const *ids;
	size_t n_ids;
	int r;

	r = filter_parse(c, d->filters, true, &l.filters);
	if (!r)
		r = page_run_begin_within(c, d->small_pages ? 1 : LIMIT_API_PAGE_MIN,
					  LIMIT_API_PAGE_MAX, &l.page);
	if (!r)
		r = param_list(c, d->ids, &ids, &n_ids);
	if (r)
		return r;
	if (n_ids && d->ids_exclude_pages && l.page.limit != UINT32_MAX)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "The parameter %s cannot be used with the parameter maxResults",
				  d->ids);
	xml_open(c->xml, set);
	if (n_ids)
		r = list_named(c, &l, ids, n_ids);
	else
		list_all(c, &l);
	if (end)
		end(c, data);
	xml_close(c->xml);
	return r ? r : page_run_end(c, &l.page);
}
